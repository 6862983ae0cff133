import type { ReactNode } from 'react';
import { useQuery } from 'urql';
import { Link } from 'wouter';
import { AccountsDocument, PlaceDocument, ProjectsDocument, type PlaceQuery } from '../graph/documents.ts';
import { Heading } from '../parts/heading.tsx';
import { useMore } from '../parts/more.tsx';
import { NotFound } from '../parts/not-found.tsx';
import { Problem } from '../parts/problem.tsx';
import { Time } from '../parts/time.tsx';
import { texts } from '../texts.ts';
import { AccountLink } from './account-link.tsx';
import { Grants } from './grants.tsx';
import { WhoCard } from './who.tsx';

type Place = NonNullable<PlaceQuery['node']>;
type Account = Extract<Place, { __typename: 'Account' }>;
type Project = Extract<Place, { __typename: 'Project' }>;

/** An account or a project: what is in it, who holds what there, and who can do what. */
export default function PlacePage({ id }: { id: string }) {
  const [{ data, error, fetching }, again] = useQuery({ query: PlaceDocument, variables: { id } });
  if (error && !data) return <Problem error={error} retry={again} />;
  if (!data) return <p role="status">{texts.loading}</p>;
  const { node } = data;
  if (node?.__typename !== 'Account' && node?.__typename !== 'Project')
    return fetching ? <p role="status">{texts.loading}</p> : <NotFound />;
  return (
    <>
      <Link href="/access" className="back">
        ← {texts.access.title}
      </Link>
      <header className="view">
        <Heading title={node.title} />
        <span className="hint">
          {node.__typename === 'Account' ? texts.accountKind[node.kind] : texts.credential.labels.project}
        </span>
        <Link href={`/credentials?${node.__typename === 'Account' ? 'account' : 'project'}=${node.id}`}>
          {texts.access.credentials}
        </Link>
      </header>
      {node.__typename === 'Account' ? <AccountParts account={node} /> : <ProjectParts project={node} />}
      <WhoCard on={id} />
    </>
  );
}

function AccountParts({ account }: { account: Account }) {
  const { parent, grants, grantsOn } = account;
  return (
    <div className="columns">
      <section className="card">
        <h2>{texts.credential.facts}</h2>
        <dl className="facts">
          <Fact label={texts.access.name} value={<code>{account.name}</code>} />
          {account.email !== null && <Fact label={texts.credential.labels.email} value={account.email} />}
          {parent && (
            <Fact
              label={texts.access.parent}
              value={<Link href={`/access/${parent.id}`}>{parent.title}</Link>}
            />
          )}
          <Fact label={texts.credential.labels.created} value={<Time at={account.createdAt} />} />
          <Fact label={texts.access.mfa} value={mfaOf(account)} />
        </dl>
      </section>
      <section className="card">
        <h2>{texts.access.parts}</h2>
        <Parts key={account.id} of={account.id} />
      </section>
      <section className="card">
        <h2>{texts.access.holds}</h2>
        <Grants grants={grants} shows="place" />
      </section>
      <section className="card">
        <h2>{texts.access.heldOn}</h2>
        <Grants grants={grantsOn} shows="holder" />
      </section>
    </div>
  );
}

/** What is directly part of an account: the accounts, then the projects. */
function Parts({ of }: { of: string }) {
  const accounts = useMore(AccountsDocument, { filter: { parent: [of] } }, (data) => data.accounts);
  const projects = useMore(ProjectsDocument, { filter: { account: [of] } }, (data) => data.projects);
  if (accounts.isEmpty && projects.isEmpty) return <p className="faint">{texts.access.nothing}</p>;
  return (
    <>
      <ul className="tree">
        {accounts.items.map((one) => (
          <li key={one.id}>
            <AccountLink account={one} />
          </li>
        ))}
      </ul>
      {accounts.rest}
      <ul className="tree">
        {projects.items.map(({ id, title }) => (
          <li key={id}>
            <Link href={`/access/${id}`}>{title}</Link>{' '}
            <span className="hint">{texts.credential.labels.project}</span>
          </li>
        ))}
      </ul>
      {projects.rest}
    </>
  );
}

const mfaOf = ({ mfaRequired, mfaEnrolled }: Account) =>
  `${mfaRequired ? texts.access.mfaRequired : texts.access.mfaFree}, ${mfaEnrolled ? texts.access.mfaThere : texts.access.mfaMissing}`;

function ProjectParts({ project }: { project: Project }) {
  return (
    <div className="columns">
      <section className="card">
        <h2>{texts.credential.facts}</h2>
        <dl className="facts">
          <Fact label={texts.access.name} value={<code>{project.name}</code>} />
          {project.description !== null && (
            <Fact label={texts.credential.labels.description} value={project.description} />
          )}
          <Fact
            label={texts.credential.labels.account}
            value={<Link href={`/access/${project.account.id}`}>{project.account.title}</Link>}
          />
          <Fact label={texts.credential.labels.created} value={<Time at={project.createdAt} />} />
        </dl>
      </section>
      <section className="card">
        <h2>{texts.access.heldOn}</h2>
        <Grants grants={project.onIt} shows="holder" />
      </section>
    </div>
  );
}

function Fact({ label, value }: { label: string; value: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{value}</dd>
    </div>
  );
}

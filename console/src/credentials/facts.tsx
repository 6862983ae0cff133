import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { CredentialFactsFragment } from '../graph/documents.ts';
import { durationInWords } from '../parts/duration.ts';
import { Time } from '../parts/time.tsx';
import { texts } from '../texts.ts';

const { labels } = texts.credential;

/** What a credential is; what it does not have is left out. */
export function Facts({ credential }: { credential: CredentialFactsFragment }) {
  return (
    <dl className="facts">
      {factsOf(credential).map(([label, value]) => (
        <div key={label}>
          <dt>{labels[label]}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function factsOf(one: CredentialFactsFragment): [keyof typeof labels, ReactNode][] {
  const all: [keyof typeof labels, ReactNode][] = [
    ['problem', one.problem],
    ['description', one.description],
    ['kind', texts.kind[one.kind]],
    ['provider', one.provider],
    ['store', <Link href={`/credentials?store=${one.store.id}`}>{one.store.name}</Link>],
    ['account', <Link href={`/credentials?account=${one.account.id}`}>{one.account.name}</Link>],
    [
      'owner',
      one.owner ? <Link href={`/credentials?owner=${one.owner.id}`}>{one.owner.title}</Link> : texts.none,
    ],
    [
      'project',
      one.project && <Link href={`/credentials?project=${one.project.id}`}>{one.project.name}</Link>,
    ],
    ['parent', one.parent && <Link href={`/credentials/${one.parent.id}`}>{one.parent.name}</Link>],
    ['accessKey', one.accessKey !== null && <code>{one.accessKey}</code>],
    ['fullName', one.fullName],
    ['email', one.email],
    ['category', one.category],
    ['scope', one.scope],
    ['externalId', one.externalId !== null && <code>{one.externalId}</code>],
    ['baseUrl', one.baseUrl],
    ['allowedIps', one.allowedIps && one.allowedIps.length > 0 && one.allowedIps.join(', ')],
    ['permissions', one.permissions?.join(', ')],
    [
      'rateLimit',
      one.rateLimit && texts.credential.uses(one.rateLimit.uses, durationInWords(one.rateLimit.window)),
    ],
    [
      'policy',
      one.rotationPolicy && texts.credential.rotation.policy(durationInWords(one.rotationPolicy.every)),
    ],
    ['next', one.rotationPolicy && <Time at={one.rotationPolicy.nextAt} />],
    ['expires', <Time at={one.expiresAt} />],
    ['lastUsed', <Time at={one.lastUsedAt} />],
    ['created', <Time at={one.createdAt} exact />],
    ['updated', <Time at={one.updatedAt} exact />],
    ['observed', one.store.kind !== 'BUILT_IN' && <Time at={one.observedAt} exact />],
    ['revoked', one.revokedAt !== null && <Time at={one.revokedAt} exact />],
    ['revokeReason', one.revokeReason],
    ['deleted', one.deletedAt !== null && <Time at={one.deletedAt} exact />],
    ['gone', one.goneAt !== null && <Time at={one.goneAt} exact />],
    ['id', <code>{one.id}</code>],
  ];
  return all.filter(([, value]) => value !== null && value !== undefined && value !== false && value !== '');
}

import { useQuery } from 'urql';
import { RolesDocument } from '../graph/documents.ts';
import { Problem } from '../parts/problem.tsx';
import { texts } from '../texts.ts';

/** Each role, whose it is and what it allows. */
export function Roles() {
  const [{ data, error }, again] = useQuery({ query: RolesDocument, variables: { after: null } });
  if (error) return <Problem error={error} retry={again} />;
  if (!data) return <p role="status">{texts.loading}</p>;
  const { nodes, pageInfo } = data.roles;
  return (
    <>
      <dl className="facts">
        {nodes.map(({ id, name, description, account, store, builtIn, permissions }) => (
          <div key={id}>
            <dt>
              {name}{' '}
              <span className="hint">
                {store?.name ?? account?.title ?? (builtIn ? texts.access.builtIn : texts.access.everyones)}
              </span>
            </dt>
            <dd>
              {description !== null && <p>{description}</p>}
              {permissions.length === 0 ? (
                <span className="faint">{texts.access.noPermission}</span>
              ) : (
                <code>{permissions.join(', ')}</code>
              )}
            </dd>
          </div>
        ))}
      </dl>
      {pageInfo.hasNextPage && <p className="hint">{texts.access.firstHundred}</p>}
    </>
  );
}

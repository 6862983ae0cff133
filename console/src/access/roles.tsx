import { RolesDocument } from '../graph/documents.ts';
import { Empty } from '../parts/empty.tsx';
import { useMore } from '../parts/more.tsx';
import { texts } from '../texts.ts';

/** Each role, whose it is and what it allows. */
export function Roles({ search }: { search: string }) {
  const { items, isEmpty, rest } = useMore(
    RolesDocument,
    { filter: search === '' ? {} : { search } },
    ({ roles }) => roles,
  );
  if (isEmpty) return <Empty {...texts.access.noRole} />;
  return (
    <>
      <dl className="facts">
        {items.map(({ id, name, description, account, store, builtIn, permissions }) => (
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
      {rest}
    </>
  );
}

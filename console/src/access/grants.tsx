import { Link } from 'wouter';
import type { GrantLineFragment } from '../graph/documents.ts';
import { texts } from '../texts.ts';

interface GrantsProps {
  grants: readonly GrantLineFragment[];
  /** What each line tells besides the role. */
  shows: 'holder' | 'place';
}

/** Grants, as sentences: who holds which role where. */
export function Grants({ grants, shows }: GrantsProps) {
  if (grants.length === 0) return <p className="faint">{texts.none}</p>;
  return (
    <ul className="plain">
      {grants.map((grant) => (
        <li key={grant.id}>
          {shows !== 'place' && (
            <>
              <Link href={`/access/${grant.account.id}`}>{grant.account.title}</Link>:{' '}
            </>
          )}
          <strong title={grant.role.permissions.join(', ')}>{grant.role.name}</strong>
          {shows !== 'holder' && <> {placeOf(grant)}</>}
        </li>
      ))}
    </ul>
  );
}

function placeOf({ onAccount, onProject }: GrantLineFragment) {
  const place = onProject ?? onAccount;
  if (!place) return texts.access.everywhere;
  return (
    <>
      {texts.access.on} <Link href={`/access/${place.id}`}>{place.title}</Link>
    </>
  );
}

import { useState } from 'react';
import { WhoDocument, type Permission } from '../graph/documents.ts';
import { Choice } from '../parts/choice.tsx';
import { useMore } from '../parts/more.tsx';
import { useSession } from '../session/session.tsx';
import { texts } from '../texts.ts';
import { AccountLink } from './account-link.tsx';
import { Grants } from './grants.tsx';

/** A card that tells who can do something at a place, for whoever may know that; asked once it is opened. */
export function WhoCard({ on }: { on: string }) {
  const { may } = useSession();
  const [isAsked, ask] = useState(false);
  if (!may.has('ROLE_READ')) return null;
  return (
    <details className="card" onToggle={({ currentTarget }) => currentTarget.open && ask(true)}>
      <summary>{texts.access.who}</summary>
      {isAsked && <Who on={on} />}
    </details>
  );
}

function Who({ on }: { on: string }) {
  const [can, setCan] = useState<Permission>('CREDENTIAL_REVEAL');
  return (
    <>
      <Choice
        label={texts.access.can}
        choices={texts.permission}
        value={can}
        choose={(permission) => setCan(permission as Permission)}
      />
      <Holders key={can} can={can} on={on} />
    </>
  );
}

function Holders({ can, on }: { can: Permission; on: string }) {
  const { items, isEmpty, rest } = useMore(WhoDocument, { can, on }, ({ who }) => who);
  if (isEmpty) return <p className="faint">{texts.access.nobody}</p>;
  return (
    <>
      <ul className="tree">
        {items.map(({ account, asOwner, grants }) => (
          <li key={account.id}>
            <AccountLink account={account} />
            {asOwner && <span className="badge good">{texts.access.asOwner}</span>}
            {grants.length > 0 && <Grants grants={grants} shows="place" />}
          </li>
        ))}
      </ul>
      {rest}
    </>
  );
}

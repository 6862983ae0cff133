import { Link } from 'wouter';
import type { AccountLineFragment } from '../graph/documents.ts';
import { texts } from '../texts.ts';

/** An account by what people call it, with what it is. */
export function AccountLink({ account: { id, title, kind, enabled } }: { account: AccountLineFragment }) {
  return (
    <>
      <Link href={`/access/${id}`}>{title}</Link>{' '}
      <span className="hint">
        {texts.accountKind[kind]}
        {!enabled && ` · ${texts.status.DISABLED}`}
      </span>
    </>
  );
}

import { Link } from 'wouter';
import { texts } from '../texts.ts';
import { Empty } from './empty.tsx';

/** Where an address leads nowhere. */
export function NotFound() {
  return (
    <Empty {...texts.notFound}>
      <Link href="/credentials">{texts.notFound.link}</Link>
    </Empty>
  );
}

import { Link } from 'wouter';
import { texts } from '../texts.ts';
import { Heading } from './heading.tsx';

/** Where an address leads nowhere. */
export function NotFound() {
  const { title, text, link } = texts.notFound;
  return (
    <div className="empty">
      <Heading title={title} />
      <p>{text}</p>
      <Link href="/credentials">{link}</Link>
    </div>
  );
}

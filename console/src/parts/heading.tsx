import { useEffect, useRef, type ReactNode } from 'react';
import { texts } from '../texts.ts';

/** The heading of a view. It names the tab, and takes the focus when the view is opened, so that it is read out. */
export function Heading({ title, children }: { title: string; children?: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – ${texts.product}`;
    heading.current?.focus();
  }, [title]);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children ?? title}
    </h1>
  );
}

import { texts } from '../texts.ts';

const dayMs = 86_400_000;
const date = new Intl.DateTimeFormat(texts.locale, { dateStyle: 'medium' });
const dateAndTime = new Intl.DateTimeFormat(texts.locale, { dateStyle: 'medium', timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat(texts.locale, { numeric: 'auto' });

interface Props {
  /** In UTC, as the graph writes it; null where it never is. */
  at: string | null;
  /** With the time of day, as long as the day is not told by its distance. */
  exact?: boolean;
  never?: string;
}

/** A time in the viewer's zone: by its distance where it is near, with its UTC form on hover. */
export function Time({ at, exact = false, never = texts.never }: Props) {
  if (at === null) return <span className="faint">{never}</span>;
  const time = new Date(at);
  return (
    <time dateTime={at} title={time.toISOString()}>
      {exact ? dateAndTime.format(time) : nearOf(time)}
    </time>
  );
}

function nearOf(time: Date): string {
  const ms = time.getTime() - Date.now();
  if (Math.abs(ms) < dayMs / 24) return relative.format(Math.round(ms / 60_000), 'minute');
  if (Math.abs(ms) < dayMs) return relative.format(Math.round(ms / 3_600_000), 'hour');
  if (Math.abs(ms) < 45 * dayMs) return relative.format(Math.round(ms / dayMs), 'day');
  return date.format(time);
}

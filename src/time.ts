/** Milliseconds since 1970 of an instant, in PostgreSQL's spelling of UTC or in that of RFC 3339. */
export const instantMs = (text: string): number =>
  Date.parse(text.replace(' ', 'T').replace(/\+00(:00)?$/, 'Z'));

/** An instant, given in milliseconds since 1970, as RFC 3339 text in UTC. */
export const instant = (ms: number): string => new Date(ms).toISOString();

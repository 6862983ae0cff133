import type { Arrived } from './stand-in.js';

/** The members of a JSON object that was sent; none where nothing was, undefined where it was something else. */
export function membersOf({ body }: Arrived): Record<string, unknown> | undefined {
  if (body === '') return {};
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    return value as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

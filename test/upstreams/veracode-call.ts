import type { Answered, Arrived } from './stand-in.js';
import type { veracodeError } from './veracode-errors.js';
import type { VeracodeState, VeracodeUser } from './veracode-state.js';

/** How a time is spelt: RFC 3339, with an offset without colon, or with the name of its zone. */
export type VeracodeDates = 'rfc3339' | 'offset' | 'zone';

export interface VeracodeSettings {
  state: VeracodeState;
  now: () => number;
  dates: VeracodeDates;
  showsRevoked: boolean;
  /** A refusal, in the shape that was asked for. */
  refuse: (status: Parameters<typeof veracodeError>[0], title: string, pointer?: string) => Answered;
}

/** A call whose signature holds. */
export interface VeracodeCall {
  request: Arrived;
  caller: VeracodeUser;
  /** The variable part of the path. */
  part: string;
}

export interface VeracodeRoute {
  method: string;
  /** Behind `/api/authn/v2`. */
  path: RegExp;
  /** Whether others than administrators are refused. */
  administratorsOnly?: boolean;
  /** Whether it asks for `Content-Type: application/json`, with a body or without. */
  asksForType?: boolean;
  handle(call: VeracodeCall): Answered;
}

/** A time, in one of the three spellings. */
export function timeText(ms: number, dates: VeracodeDates): string {
  const iso = new Date(ms).toISOString();
  if (dates === 'offset') return iso.replace('Z', '+0000');
  const seconds = iso.slice(0, 19);
  return dates === 'zone' ? `${seconds.replace('T', ' ')} UTC` : `${seconds}Z`;
}

import { codes, type Code, type FieldFault } from '../errors.js';

/** How a command ends, for scripts. docs/cli.md has the same table. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  unauthenticated: 3,
  forbidden: 4,
  notFound: 5,
  conflict: 6,
  unavailable: 7,
  outcomeUnknown: 8,
  notValid: 9,
} as const;

const exitCodeOf: Readonly<Record<Code, number>> = {
  UNAUTHENTICATED: exitCodes.unauthenticated,
  FORBIDDEN: exitCodes.forbidden,
  NOT_FOUND: exitCodes.notFound,
  BAD_REQUEST: exitCodes.usage,
  BAD_USER_INPUT: exitCodes.usage,
  LIMIT_EXCEEDED: exitCodes.usage,
  CONFLICT: exitCodes.conflict,
  RATE_LIMITED: exitCodes.unavailable,
  UNAVAILABLE: exitCodes.unavailable,
  OUTCOME_UNKNOWN: exitCodes.outcomeUnknown,
  UNSUPPORTED: exitCodes.failed,
  STORE_REJECTED: exitCodes.failed,
  INTERNAL_SERVER_ERROR: exitCodes.failed,
};

const advice: Partial<Readonly<Record<Code, string>>> = {
  UNAUTHENTICATED: 'Run "keyway login", or set KEYWAY_URL and KEYWAY_TOKEN.',
  FORBIDDEN: 'Ask for a role that allows it: "keyway account show" lists those that an account has.',
  CONFLICT: 'Look at it again, and repeat the command if it is still wanted.',
  RATE_LIMITED: 'Wait a little, and repeat the command.',
  // Whether anything was changed, the message says, where that is known.
  UNAVAILABLE: 'Repeat the command later.',
  INTERNAL_SERVER_ERROR: 'The log of the server tells more under the id of the request.',
};

/** Why a command does not do what it was asked for, in words for a person, and with the exit code for a script. */
export class CommandFailure extends Error {
  readonly code: string;
  readonly fields: readonly FieldFault[];
  /** The id of the request, under which the log of the server tells more. */
  readonly request: string | undefined;
  readonly advice: string | undefined;
  readonly exitCode: number;

  constructor(
    code: string,
    message: string,
    given: { fields?: readonly FieldFault[]; request?: string; advice?: string; exitCode?: number } = {},
  ) {
    super(message);
    this.name = 'CommandFailure';
    const known = isCode(code) ? code : undefined;
    this.code = code;
    this.fields = given.fields ?? [];
    this.request = given.request;
    this.advice = given.advice ?? (known && advice[known]);
    this.exitCode = given.exitCode ?? (known ? exitCodeOf[known] : exitCodes.failed);
  }
}

/** What was typed cannot be meant. @param field the flag or argument that is wrong; the message never repeats its value. */
export const wrongUsage = (field: string, message: string): CommandFailure =>
  new CommandFailure('BAD_USER_INPUT', `${field}: ${message}`);

/** No such thing, or hidden: as the graph has one answer for both. @param field what was looked for */
export const noSuch = (field: string): CommandFailure =>
  new CommandFailure('NOT_FOUND', `${field}: ${codes.NOT_FOUND}`);

const isCode = (code: string): code is Code => Object.hasOwn(codes, code);

import { badInput, type KeywayError } from '../../errors.js';

/**
 * One half of a way in without the other is of no use.
 * @param member of the connection that they are given in
 * @throws BAD_USER_INPUT, naming the half that is left out.
 */
export function expectHalves(member: string, halves: Record<string, string | null | undefined>): void {
  const given = Object.entries(halves).find(([, half]) => half);
  const left = Object.entries(halves).find(([, half]) => !half);
  if (given && left) throw wayInError(member, left[0], `is required with ${given[0]}`);
}

export const wayInError = (member: string, field: string, message: string): KeywayError =>
  badInput(`input.connection.${member}.${field}`, message);

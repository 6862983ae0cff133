import { examineConfig } from '../config/config.js';
import { examine } from '../start/doctor/doctor.js';
import type { Finding } from '../start/doctor/finding.js';

/**
 * Tells what is found by looking at all that Keyway needs: a line for each finding as soon as it is there, or all of them
 * as JSON.
 * @param print writes a line
 * @returns the exit code: 1 where something is wrong
 */
export async function runDoctor(asJson: boolean, print: (line: string) => void): Promise<number> {
  const findings: Finding[] = [];
  for await (const finding of examine(examineConfig())) {
    findings.push(finding);
    if (!asJson) print(lineOf(finding));
  }
  if (asJson) print(JSON.stringify(findings, null, 2));
  return findings.some(({ state }) => state === 'wrong') ? 1 : 0;
}

const lineOf = ({ state, check, found, advice }: Finding): string =>
  `${state.padEnd(8)} ${check.padEnd(12)} ${found}${advice === undefined ? '' : `; ${advice}`}`;

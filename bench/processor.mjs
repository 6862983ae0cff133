// Processor time and memory of processes, out of Linux's /proc.
import { readFileSync, readdirSync } from 'node:fs';

const ticksPerSecond = 100;

/** Seconds of processor time that a process and its children have used so far; those that ended are left out. */
export function secondsOf(pid) {
  return family(pid).reduce((sum, one) => {
    const fields = statOf(one);
    return fields ? sum + (Number(fields[11]) + Number(fields[12])) / ticksPerSecond : sum;
  }, 0);
}

/** The resident memory of a process and its children, in MB. */
export function memoryOf(pid) {
  return family(pid).reduce((sum, one) => {
    const [, kb] = /VmRSS:\s+(\d+)/.exec(read(`/proc/${one}/status`)) ?? [];
    return sum + Number(kb ?? 0) / 1024;
  }, 0);
}

/** The process that another one was started by. */
export const parentOf = (pid) => Number(statOf(pid)?.[1]);

function family(pid) {
  const children = new Map();
  for (const one of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const parent = parentOf(one);
    children.set(parent, [...(children.get(parent) ?? []), Number(one)]);
  }
  const below = (one) => [one, ...(children.get(one) ?? []).flatMap(below)];
  return below(pid);
}

/** What /proc says of a process after its name, which may hold spaces. */
function statOf(pid) {
  const text = read(`/proc/${pid}/stat`);
  return text ? text.slice(text.lastIndexOf(')') + 2).split(' ') : undefined;
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

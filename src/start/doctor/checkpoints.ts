import { Checkpoints } from '../../audit/checkpoints/checkpoints.js';
import { gapOf } from '../../audit/checkpoints/gap.js';
import { sealOf } from '../../audit/checkpoints/line.js';
import { openCheckpointPlace } from '../../audit/checkpoints/open-place.js';
import { allLines, type CheckpointPlace } from '../../audit/checkpoints/place.js';
import type { Config } from '../../config/config.js';
import type { Database } from '../../database/database.js';
import type { Keyring } from '../../keyring/keyring.js';
import type { Log } from '../../log.js';
import { lookAt, type Finding, type Findings } from './finding.js';

/** Holds the audit log to its checkpoints, as a start does; what `audit verify` reads besides is not read. */
export const ofCheckpoints = (
  { checkpoints: at, checkpointMonths }: Config,
  db: Database,
  keyring: Keyring,
  log: Log,
): Promise<readonly Finding[]> =>
  lookAt('checkpoints', async (say) => {
    const place = await openCheckpointPlace(at, false);
    try {
      return await ofPlace(say, new Checkpoints(db, keyring, place, log, checkpointMonths), place, () =>
        ofGap(say, db, keyring, place),
      );
    } finally {
      await place.close();
    }
  });

async function ofPlace(
  say: Findings,
  checkpoints: Checkpoints,
  place: CheckpointPlace,
  gap: () => Promise<Finding[]>,
): Promise<Finding[]> {
  const { chains, grown, isBegun } = await checkpoints.check();
  if (checkpoints.breaks.length > 0)
    return [
      ...checkpoints.breaks
        .slice(0, mostTold)
        .map(({ account, number, reason }) =>
          say.wrong(
            `account ${account}, row ${number}: ${reason}`,
            'see "When the audit log is behind its checkpoints" in docs/running.md, and run: keyway audit verify',
          ),
        ),
      ...(await gap()),
    ];
  if (chains === 0) return [say.ok('there is no audit log yet')];
  if (!isBegun)
    return [
      say.warning(
        `there are none in ${place.name}, and the database has an audit log`,
        'if they were moved or lost, bring them back before the next start: they say what ended since a backup',
      ),
    ];
  return [
    grown > 0
      ? say.ok(`the audit log holds; ${grown} of its ${chains} chains have grown since the last line`)
      : say.ok(`the audit log holds, and all of its ${chains} chains are covered`),
  ];
}

/** So many chains and gaps tell what has happened; `audit verify` names all. */
const mostTold = 20;

/** What `restore accept` would have to go by. */
async function ofGap(
  say: Findings,
  db: Database,
  keyring: Keyring,
  place: CheckpointPlace,
): Promise<Finding[]> {
  const { ended, untold, unsigned } = await gapOf(db, keyring, allLines(place, sealOf(keyring)));
  const findings = untold
    .slice(0, mostTold)
    .map(({ account, first, last }) =>
      say.wrong(
        `account ${account}: nothing tells what ended by the events ${first} to ${last}`,
        'add the lines of another file of checkpoints that has them',
      ),
    );
  if (unsigned > 0)
    findings.push(
      say.wrong(`${unsigned} lines are not signed by these keys`, 'bring back the keys of their time'),
    );
  return ended.length === 0
    ? findings
    : [
        ...findings,
        say.wrong(
          `of what ended since, the checkpoints tell ${ended.length}`,
          'keyway restore accept ends them again',
        ),
      ];
}

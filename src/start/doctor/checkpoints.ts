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
  config: Config,
  db: Database,
  keyring: Keyring,
  log: Log,
): Promise<readonly Finding[]> =>
  withPlace(config, async (say, place) => [
    ...(await ofPlace(say, new Checkpoints(db, keyring, place, log, config.checkpointMonths), place, () =>
      ofGap(say, db, keyring, place),
    )),
    ...(await ofRights(say, config, place)),
  ]);

/** Only whether there is a place for checkpoints: for a database that cannot be held to them. */
export const ofPlaceAlone = (config: Config): Promise<readonly Finding[]> =>
  withPlace(config, (say, place) => ofRights(say, config, place));

const withPlace = (
  { checkpoints: at }: Config,
  look: (say: Findings, place: CheckpointPlace) => Promise<Finding[]>,
): Promise<readonly Finding[]> =>
  lookAt('checkpoints', async (say) => {
    const place = await openCheckpointPlace(at, false);
    try {
      return await look(say, place);
    } finally {
      await place.close();
    }
  });

/** Whether lines can be added, as each start does; of a folder the system tells that. */
async function ofRights(
  say: Findings,
  { checkpoints: at }: Config,
  place: CheckpointPlace,
): Promise<Finding[]> {
  if (at.kind === 's3')
    return [
      say.skipped(
        `whether lines can be added to ${place.name} was not tried, as that would add one`,
        'see that the role has s3:PutObject there',
      ),
    ];
  if (!place.mayAppend || (await place.mayAppend())) return [];
  return [
    say.wrong(
      `no lines can be added to ${place.name}`,
      'GRANT SELECT, INSERT ON keyway_checkpoints, or let the role make it: GRANT CREATE ON SCHEMA …',
    ),
  ];
}

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

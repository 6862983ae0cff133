import { openKeySets } from '../../access/issuers/key-sets.js';
import type { Config } from '../../config/config.js';
import type { Database } from '../../database/database.js';
import type { Keyring } from '../../keyring/keyring.js';
import type { Log } from '../../log.js';
import type { Outbound } from '../../outbound/outbound.js';
import { probeStores, type Probed } from '../../stores/probes/probe.js';
import { lookAt, type Finding, type Findings } from './finding.js';

/** Whether each outside store answers and takes what Keyway has for it. */
export const ofStores = (
  db: Database,
  keyring: Keyring,
  outbound: Outbound,
  log: Log,
): Promise<readonly Finding[]> =>
  lookAt('stores', async (say) => {
    const probed = await probeStores({ db, keyring, outbound, log });
    return probed.length === 0
      ? [say.ok('no outside store is connected')]
      : probed.map(({ name, outcome }) => outcomes[outcome](say, name));
  });

const outcomes: Record<Probed['outcome'], (say: Findings, name: string) => Finding> = {
  ANSWERS: (say, name) => say.ok(`${name} answers`),
  STORE_REJECTED: (say, name) =>
    say.wrong(
      `${name} does not accept what Keyway has for it`,
      'give its connection another one: updateStore',
    ),
  UNAVAILABLE: (say, name) =>
    say.wrong(
      `${name} does not answer`,
      'see whether this machine reaches its address, and its certificate holds',
    ),
  RATE_LIMITED: (say, name) => say.warning(`${name} takes no more calls for now`, 'ask again later'),
  NOT_ALLOWED: (say, name) =>
    say.wrong(
      `${name} is at an address that Keyway may not call`,
      'allow it: KEYWAY_OUTBOUND_RANGES, or KEYWAY_OUTBOUND_HTTP_RANGES',
    ),
  NOT_ASKED: (say, name) => say.skipped(`${name} was not asked`, 'ask it by itself: checkStore'),
};

/** Whether each issuer of tokens gives its keys. */
export const ofIssuers = (
  { jwtIssuers }: Config,
  outbound: Outbound,
  log: Log,
): Promise<readonly Finding[]> =>
  lookAt('issuers', (say) =>
    Promise.all(
      [...openKeySets(jwtIssuers, outbound, log)].map(async ([name, keys]) => {
        const none = await keys.whyNone();
        return none
          ? say.wrong(
              `${name} does not give its keys, so that its tokens are refused: ${none.why}`,
              none.advice,
            )
          : say.ok(`${name} gives its keys`);
      }),
    ),
  );

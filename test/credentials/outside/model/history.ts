import { setImmediate } from 'node:timers/promises';
import { readConfig } from '../../../../src/config/config.js';
import type { Registry } from '../../../../src/connectors/registry.js';
import type { Gates } from '../../../../src/access/context.js';
import { nowhere, Permission, type Principal } from '../../../../src/access/principal.js';
import { status as statusSql, works } from '../../../../src/access/works.js';
import { nobody } from '../../../../src/audit/decision.js';
import { planEnd } from '../../../../src/credentials/end-outside.js';
import { advance } from '../../../../src/credentials/outside/advance.js';
import { plan } from '../../../../src/credentials/outside/plan.js';
import { Resumption } from '../../../../src/credentials/outside/resume.js';
import { loadCredential, secretOfVersion, type Version } from '../../../../src/credentials/outside/work.js';
import {
  Credential,
  CredentialKind,
  CredentialStatus,
} from '../../../../src/credentials/record/credential.js';
import { beginVersion } from '../../../../src/credentials/record/versions.js';
import { keepOutside } from '../../../../src/credentials/secret/keep-secret.js';
import { planRotation, presentAt } from '../../../../src/credentials/rotate-outside.js';
import { sql, type Tx } from '../../../../src/database/database.js';
import { KeywayError } from '../../../../src/errors.js';
import { newId } from '../../../../src/ids.js';
import { openLog } from '../../../../src/log.js';
import { mintPassword } from '../../../../src/keyring/token.js';
import { openKeyway } from '../../../../src/start/keyway.js';
import { abandonCredentials } from '../../../../src/stores/abandon.js';
import { sealSecrets, type StoreParts } from '../../../../src/stores/open.js';
import type { Lease } from '../../../../src/credentials/outside/lease.js';
import { readyPlace } from '../../../support/process.js';
import { Chance } from './chance.js';
import { connectorTo, Vendor, type VendorKind } from './vendor.js';

export const kinds: readonly VendorKind[] = ['OURS', 'OVERLAP', 'SHOWN', 'HIDDEN'];

/** The code of Keyway on a database of its own, without its jobs and its HTTP, and vendors that are simulated. */
export interface World {
  parts: StoreParts;
  accountId: string;
  /** Who may do everything. */
  caller: { principal: Principal };
  stores: Record<VendorKind, string>;
  /** Puts another vendor in its place. */
  meet(vendor: Vendor): void;
  close(): Promise<void>;
}

export async function openWorld(): Promise<World> {
  const place = await readyPlace();
  const log = openLog('fatal');
  const keyway = await openKeyway(readConfig({ ...place.environment }), log);
  const { db, keyring } = keyway;
  if (!keyring) throw new Error('the keys of the database are not there');
  let current: Vendor | undefined;
  const at = () => {
    if (!current) throw new Error('there is no vendor');
    return current;
  };
  const connectors: Registry = Object.fromEntries(kinds.map((kind) => [kind, connectorTo(kind, at)]));
  const gates: Gates = {
    call: () => Promise.resolve({ status: 200, headers: {}, json: undefined }),
    circuitOf: () => 'CLOSED',
    forget: () => undefined,
    trial: (_, work) => work(),
  };
  const [account] = await db.rows<{ id: string }>(someAccount);
  const accountId = account?.id ?? '';
  const stores = {} as World['stores'];
  for (const kind of kinds) {
    const id = newId();
    const { sealed, kekId } = await sealSecrets(
      keyring,
      { id, accountId, secretNumber: 1, addresses: {} },
      {},
    );
    await db.rows(addStore, { id, kind, accountId, sealed, kekId });
    stores[kind] = id;
  }
  return {
    parts: { db, keyring, connectors, gates, log },
    accountId,
    caller: { principal: administrator(accountId) },
    stores,
    meet: (vendor) => (current = vendor),
    close: async () => {
      await keyring.close();
      await db.close();
      await place.drop();
    },
  };
}

const administrator = (accountId: string): Principal => ({
  ...{
    accountId,
    tenantId: accountId,
    credentialId: null,
    credentialVersion: null,
    identity: null,
    holds: null,
  },
  ...{
    parentId: null,
    roles: new Map(),
    granted: { rights: new Map(), roles: new Map() },
    limits: null,
    expiresAt: null,
    allowedIps: [],
    mfaRequired: false,
  },
  rights: new Map([[Permission.CREDENTIAL_REVOKE, { ...nowhere, everywhere: true }]]),
});

/** One credential at one vendor: what was asked for, in which order, and what went wrong. */
export class History {
  readonly #running = new Set<Promise<void>>();
  readonly #chance: Chance;
  #isAbandoned = false;
  readonly vendor: Vendor;
  readonly id = newId();
  readonly name: string;

  constructor(
    readonly world: World,
    readonly seed: number,
  ) {
    this.#chance = new Chance(seed);
    this.vendor = new Vendor(this.#chance.of(kinds), this.id.slice(-12), this.#chance);
    this.name = `user-${this.id}`;
    world.meet(this.vendor);
  }

  /** Lives through it, to its end. @throws where something is not as it must be */
  async run(): Promise<void> {
    try {
      await this.create();
      for (let step = this.#chance.next() * 9; step > 0; step--) {
        await this.step();
        await this.expectNoneEndingWorks();
      }
      await this.settle();
      await this.expectRight();
    } catch (error) {
      const told = error instanceof Error ? error.message : String(error);
      const { kind, told: heard } = this.vendor;
      throw new Error(`seed ${this.seed}, ${kind}: ${told}\n${heard.join('\n')}`, { cause: error });
    }
  }

  private async step(): Promise<void> {
    const { vendor } = this;
    const deeds: (() => unknown)[] = [
      () => this.rotate(),
      () => this.rotate(),
      () => this.end('REVOKE'),
      () => this.end('DELETE'),
      () => this.abandon(),
      () => this.pass(),
      () => this.pass(),
      () => this.pass(),
      () => vendor.late.shift()?.(),
      () => vendor.release(),
    ];
    const at = Math.floor(this.#chance.next() * deeds.length);
    vendor.told.push(
      `-- ${['rotate', 'rotate', 'revoke', 'delete', 'abandon', 'pass', 'pass', 'pass', 'late', 'release'][at]}`,
    );
    await deeds[at]?.();
  }

  private get db() {
    return this.world.parts.db;
  }

  /** What a process does, until it is done, stands still or has died. */
  private async process(work: Promise<unknown>): Promise<void> {
    const standing = this.vendor.nextStall();
    const run: Promise<void> = work
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
    await Promise.race([run, standing]);
  }

  private async planned(work: (tx: Tx) => Promise<Lease>): Promise<void> {
    let lease: Lease;
    try {
      lease = await this.db.transaction(work);
    } catch (error) {
      if (error instanceof KeywayError) return;
      throw error;
    }
    // A process may die before it has called anybody.
    if (!this.vendor.healthy && this.#chance.is(0.1)) return;
    await this.process(advance(this.world.parts, lease, false));
  }

  private async create(): Promise<void> {
    const { world, vendor, id, name } = this;
    const storeId = world.stores[vendor.kind];
    const ours = vendor.kind === 'OURS';
    const before = ours || vendor.kind === 'OVERLAP' ? [...vendor.living.keys()] : undefined;
    await this.planned(async (tx) => {
      await tx.rows(clearPlace, { storeId });
      const kind = ours ? CredentialKind.PASSWORD : CredentialKind.ACCESS_KEY;
      const accessKey = ours ? name : null;
      const credential = { id, storeId, accountId: world.accountId, projectId: null, kind, name, accessKey };
      await tx.em.getRepository(Credential).insert({
        ...credential,
        ...{ enabled: true, allowedIps: [], retrievable: true, scope: 'place', standing: 'PENDING' as const },
      });
      const password = mintPassword();
      const chosen = { accessKey, secret: password, keys: null, proof: password };
      const kept = ours ? await keepOutside(world.parts.keyring, tx, credential, 1, chosen) : {};
      await beginVersion(tx, { credentialId: id, number: 1, state: 'PENDING', accessKey, ...kept });
      const details = { ...(before && { before }) };
      return plan(tx, nobody(), { credentialId: id, storeId, verb: 'CREATE', version: 1, details });
    });
  }

  private async credential(): Promise<Credential> {
    const [found] = await this.db.rows<Credential>(read, {
      id: this.id,
    });
    if (!found) throw new Error('the credential is not there');
    return { ...found, projectId: null };
  }

  private async rotate(): Promise<void> {
    const { parts } = this.world;
    const credential = await this.credential();
    const { kind, revokedAt, endingSince, externalId } = credential;
    if (this.#isAbandoned || revokedAt !== null || endingSince !== null || externalId === null) return;
    const connector = parts.connectors[this.vendor.kind];
    if (!connector) return;
    // What goes wrong before anything is on record has changed nothing.
    this.vendor.healthy = true;
    const before = await presentAt(parts, connector, credential);
    this.vendor.healthy = false;
    const password = this.vendor.kind === 'OURS' ? mintPassword() : null;
    const chosen = password && { accessKey: this.name, secret: password, keys: null, proof: password };
    const wish = { kind, provider: null, accessKey: credential.accessKey, chosen };
    const graceMs = this.#chance.is(0.5) ? 0 : 3_600_000;
    await this.planned(
      async (tx) => (await planRotation(parts, tx, nobody(), credential, wish, { graceMs, before })).lease,
    );
  }

  private async end(verb: 'REVOKE' | 'DELETE'): Promise<void> {
    const credential = await this.credential();
    if (this.#isAbandoned || credential.revokedAt !== null) return;
    const { externalId, standing } = credential;
    if (externalId === null && standing !== 'PENDING') return;
    await this.planned((tx) => planEnd(this.world.parts, tx, nobody(), credential, verb, null));
  }

  /** Its store is let go of: somebody is told of all that may live there. Not often, as it is the end. */
  private async abandon(): Promise<void> {
    if (!this.#chance.is(0.25)) return;
    const { vendor, world } = this;
    const storeId = world.stores[vendor.kind];
    const told = await this.db.transaction(async (tx) => {
      await tx.rows(holdStore, { storeId });
      return abandonCredentials(world.caller, tx, storeId);
    });
    this.#isAbandoned ||= told.some(({ target }) => target.id === this.id);
  }

  /** Leases end, what waits is due, and another process takes it up. */
  private async pass(grace = this.#chance.is(0.3)): Promise<void> {
    await this.db.rows(freeIntents);
    await this.db.rows(freeLeftovers, { grace });
    const resumption = new Resumption(this.world.parts);
    await resumption.tick();
    await this.process(resumption.stop());
  }

  /** Nothing goes wrong any more, and all that is under way comes to its end. */
  private async settle(): Promise<void> {
    const { vendor } = this;
    vendor.told.push('-- healthy');
    vendor.healthy = true;
    vendor.release();
    await Promise.all(this.#running);
    vendor.catchUp();
    for (let round = 0; round < 40; round++) {
      const [left] = await this.db.rows<{ intents: number; leftovers: number }>(openOnes);
      if (left?.intents === 0 && left.leftovers === 0) return;
      await this.db.rows(lastLooks);
      await this.pass(true);
      await setImmediate();
    }
    const rows = await this.db.rows(openRows);
    throw new Error(`it did not settle: ${JSON.stringify(rows)}`);
  }

  private async expectNoneEndingWorks(): Promise<void> {
    const [found] = await this.db.rows(endingWorks, { id: this.id });
    if (found) throw new Error('what is being revoked is shown as working');
  }

  private async expectRight(): Promise<void> {
    const { vendor } = this;
    const credential = await this.credential();
    const { status } = credential;
    const there = [...vendor.living.keys()];
    const expect = (holds: boolean, told: string) => {
      if (!holds) throw new Error(`${told} (${status}; there: ${there.join(', ')})`);
    };
    if (this.#isAbandoned)
      return expect(status === CredentialStatus.ABANDONED, 'what may live there is told otherwise');
    if (credential.revokedAt !== null) return expect(there.length === 0, 'a secret of what is revoked works');
    expect(['ACTIVE', 'UNKNOWN', 'REVOKED', 'DELETED'].includes(status), 'it came to no rest');
    const { versions } = await loadCredential(this.db, this.id);
    const current = versions.find(({ state }) => state === 'CURRENT');
    if (status === CredentialStatus.ACTIVE) {
      expect(there.join() === current?.accessKey, 'the store has something else than Keyway');
      if (current && vendor.kind === 'OURS')
        expect(await this.isKnown([current]), 'the store has another secret than Keyway');
      return;
    }
    // What nobody knows is told so; where Keyway chose the secret, it has the one that works all the same.
    if (vendor.kind === 'OURS' && there.length > 0)
      expect(await this.isKnown(versions), 'the store has a secret that Keyway does not have');
    expect(vendor.kind !== 'OVERLAP' || there.length === 0, 'a key is left over');
  }

  private async isKnown(versions: readonly Version[]): Promise<boolean> {
    const { credential } = await loadCredential(this.db, this.id);
    const minted = await Promise.all(
      versions.map((version) =>
        secretOfVersion(this.world.parts.keyring, { addresses: {} }, credential, version),
      ),
    );
    const there = this.vendor.living.get(this.name);
    return minted.some((one) => one?.secret?.expose() === there);
  }
}

const someAccount = sql('SELECT id FROM accounts ORDER BY created_at LIMIT 1');
const addStore = sql(`
  INSERT INTO stores (id, name, kind, account_id, addresses, settings, secret_number, sealed, kek_id)
  VALUES (:id, :kind, :kind, :accountId, '{}', '{}', 1, :sealed, :kekId)`);
const read = sql(`
  SELECT c.id, c.store_id AS "storeId", c.account_id AS "accountId", c.kind, c.name, c.provider, c.scope,
    c.standing, c.access_key AS "accessKey", c.external_id AS "externalId", c.revoked_at AS "revokedAt", c.deleted_at AS "deletedAt",
    c.ending_since AS "endingSince", ${statusSql} AS status FROM credentials c WHERE c.id = :id`);
const endingWorks = sql(`
  SELECT c.id FROM credentials c JOIN intents i ON i.credential_id = c.id AND i.state = 'OPEN'
  WHERE c.id = :id AND i.verb IN ('REVOKE', 'DELETE') AND ${works}`);
// Each history has the place at its vendor to itself.
const clearPlace = sql(`
  UPDATE credentials SET deleted_at = now() WHERE store_id = :storeId AND deleted_at IS NULL`);
const holdStore = sql('SELECT id FROM stores WHERE id = :storeId FOR UPDATE');
const freeIntents = sql(`
  UPDATE intents SET lease_until = least(lease_until, now()), next_at = now() WHERE state = 'OPEN'`);
const freeLeftovers = sql(`
  UPDATE leftovers SET lease_until = now(), due_at = now() WHERE access_key IS NULL OR :grace OR due_at <= now()`);
const lastLooks = sql('UPDATE leftovers SET until_at = now() WHERE access_key IS NULL');
const openOnes = sql(`
  SELECT CAST((SELECT count(*) FROM intents WHERE state = 'OPEN') AS integer) AS intents,
    CAST((SELECT count(*) FROM leftovers) AS integer) AS leftovers`);
const openRows = sql(`
  SELECT verb, state, failure FROM intents WHERE state = 'OPEN'
  UNION ALL SELECT coalesce(access_key, 'LOOK'), 'LEFT', failure FROM leftovers`);

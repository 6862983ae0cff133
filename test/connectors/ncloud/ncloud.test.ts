import type { Connector, Known, Minted, Upstream } from '../../../src/connectors/connector.js';
import { ncloud } from '../../../src/connectors/ncloud/ncloud.js';
import { Secret } from '../../../src/secret.js';
import type { NcloudKey, NcloudSubAccount } from '../../upstreams/ncloud-state.js';
import { startNcloud, type Ncloud, type NcloudOptions } from '../../upstreams/ncloud.js';
import * as make from '../make.js';
import { openUpstream } from '../upstream.js';

const connector = ncloud as Required<Connector>;
const wish = { kind: 'ACCESS_KEY', prefix: null, format: null, accessKey: null } as const;
const device = 'mfa-device-1';

let store: Ncloud;
let upstream: Upstream;
let nowMs: number;
let owner: NcloudSubAccount;
let key: NcloudKey;

afterEach(() => store.stop());

async function open(version: 1 | 2, options: NcloudOptions = {}): Promise<void> {
  nowMs = Date.UTC(2026, 0, 31, 8, 7);
  store = await startNcloud({ clockMs: () => nowMs, mfaDevices: { [device]: '123456' }, ...options });
  upstream = opened({ settings: { subAccountApiVersion: version } });
  owner = store.addSubAccount('builds', { name: 'Build machines' });
  key = store.addKey(owner.subAccountId);
}

const opened = ({
  addresses = { endpoint: `${store.url}/subaccount`, sts: `${store.url}/sts` },
  settings = {},
  secretKey = store.manager.secretKey,
}: {
  addresses?: Record<string, string>;
  settings?: Upstream['settings'];
  secretKey?: string;
} = {}) =>
  openUpstream({
    addresses,
    settings: { accessKey: store.manager.accessKey, subAccountApiVersion: 1, ...settings },
    secrets: { secretKey },
    now: () => nowMs,
  });

const known = (given: Partial<Known> = {}): Known =>
  make.known({
    externalId: key.accessKey,
    scope: owner.subAccountId,
    kind: 'ACCESS_KEY',
    accessKey: key.accessKey,
    keys: [key.accessKey],
    ...given,
  });

const held = ({ accessKey, secretKey }: NcloudKey): Minted => {
  const secret = Secret.of(secretKey);
  return { accessKey, secret, keys: null, proof: secret };
};

const accepts = ({ accessKey, secret }: Minted) => store.accepts(accessKey ?? '', secret?.expose() ?? '');
const wanted = (given: Partial<Parameters<typeof make.wanted>[0]> = {}) =>
  make.wanted({ scope: owner.subAccountId, wish, ...given });

describe.each([1, 2] as const)('version %s of Sub Account', (version) => {
  beforeEach(() => open(version));

  test('lists the keys of every sub account, page by page, without a secret', async () => {
    store.seed(150);
    const second = store.addKey(owner.subAccountId, new Date('2024-10-10T16:58:28Z'));
    second.active = false;
    const parts = await make.partsOf(ncloud, upstream);
    const entries = parts.flatMap((part) => part.entries);
    expect(new Set(entries.map(({ externalId }) => externalId)).size).toBe(153);
    expect(entries).toHaveLength(153);
    expect(parts.at(-1)?.next).toBeNull();
    expect(parts.some(({ incomplete }) => incomplete)).toBe(false);
    expect(entries.find(({ externalId }) => externalId === second.accessKey)).toMatchObject({
      scope: owner.subAccountId,
      kind: 'ACCESS_KEY',
      name: 'builds',
      fullName: 'Build machines',
      accessKey: second.accessKey,
      enabled: false,
      createdAt: '2024-10-10T16:58:28.000Z',
    });
    expect(JSON.stringify(entries)).not.toContain(second.secretKey);
  });

  test('goes on with a listing where it broke off', async () => {
    store.seed(250);
    const parts = await make.partsOf(ncloud, upstream);
    const from = parts[0]?.next ?? '';
    const rest = await make.partsOf(ncloud, upstream, from);
    expect(rest.some(({ incomplete }) => incomplete)).toBe(false);
    const all = [...(parts[0]?.entries ?? []), ...rest.flatMap(({ entries }) => entries)];
    expect(new Set(all.map(({ externalId }) => externalId)).size).toBe(252);
  });

  test('goes on past a sub account whose keys the store does not show, and tells of it', async () => {
    const [one, other] = [store.addSubAccount('one'), store.addSubAccount('other')];
    for (const { subAccountId } of [one, other]) store.addKey(subAccountId);
    const body = { error: { errorCode: '210', message: 'Permission Denied' } };
    store.meet({ kind: 'fail', status: 401, body }, { path: new RegExp(one.subAccountId) });
    const [part] = await make.partsOf(ncloud, upstream);
    expect(part?.unread).toEqual([one.subAccountId]);
    expect(part?.entries.map(({ scope }) => scope)).toContain(other.subAccountId);
  });

  test('leaves out of a listing a sub account that is gone by the time its keys are asked for', async () => {
    const { subAccountId } = owner;
    const path = new RegExp(`${subAccountId}/access-keys`);
    const reached = store.hold('before', { method: 'GET', path });
    const listing = make.listed(ncloud, upstream);
    const held = await reached;
    (store.subAccounts as Map<string, NcloudSubAccount>).delete(subAccountId);
    held.release();
    expect((await listing).map(({ scope }) => scope)).toEqual([store.manager.subAccountId]);
  });

  test('finds a key by what it is known by, and nothing that is gone', async () => {
    expect(await connector.find(upstream, known({ name: 'mine' }))).toMatchObject({
      externalId: key.accessKey,
      name: 'mine',
      accessKey: key.accessKey,
      enabled: true,
    });
    expect(await connector.find(upstream, known({ accessKey: 'gone' }))).toBeUndefined();
    expect(await connector.find(upstream, known({ scope: 'gone' }))).toBeUndefined();
  });

  test('knows which keys a sub account has', async () => {
    const other = store.addKey(owner.subAccountId);
    const place = { scope: owner.subAccountId, wish, name: 'any' };
    expect(await connector.present(upstream, place)).toEqual([key.accessKey, other.accessKey]);
    await expect(connector.present(upstream, { ...place, scope: 'gone' })).rejects.toMatchObject({
      fault: 'NOT_FOUND',
    });
  });

  test('creates a key that signs, in a sub account that must be named and be there', async () => {
    const created = await connector.create(upstream, wanted());
    expect(created).toMatchObject({ externalId: created.minted.accessKey, scope: owner.subAccountId });
    expect(accepts(created.minted)).toBe(true);
    expect(created.minted.proof).toBe(created.minted.secret);
    await expect(connector.create(upstream, wanted({ scope: null }))).rejects.toMatchObject({
      fields: [{ path: 'input.scope' }],
    });
    await expect(connector.create(upstream, wanted({ scope: 'gone' }))).rejects.toMatchObject({
      fault: 'NOT_FOUND',
    });
  });

  test('creates a key that is suspended at once', async () => {
    const { minted } = await connector.create(upstream, wanted({ enabled: false }));
    expect(owner.keys.get(minted.accessKey ?? '')?.active).toBe(false);
  });

  test('leaves no key behind that was to be suspended and could not be', async () => {
    store.meet({ kind: 'fail', status: 401, body: { error: { errorCode: '210' } } }, changing);
    await expect(connector.create(upstream, wanted({ enabled: false }))).rejects.toMatchObject({
      fault: 'FORBIDDEN',
      unclear: false,
    });
    expect([...owner.keys.keys()]).toEqual([key.accessKey]);
    store.meet({ kind: 'fail', status: 401, body: { error: { errorCode: '210' } } }, changing, 2);
    await expect(connector.create(upstream, wanted({ enabled: false }))).rejects.toMatchObject({
      unclear: true,
    });
  });

  test('answers LIMIT_EXCEEDED where the sub account has as many keys as it may', async () => {
    store.addKey(owner.subAccountId);
    await expect(connector.create(upstream, wanted())).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      unclear: false,
    });
  });

  test('rotates: a second key, and the first lives on until it is retired', async () => {
    const minted = await connector.rotate(upstream, known(), wish, held(key));
    expect(accepts(minted)).toBe(true);
    expect(accepts(held(key))).toBe(true);
    await connector.retire(upstream, owner.subAccountId, key.accessKey);
    expect([...owner.keys.keys()]).toEqual([minted.accessKey]);
  });

  test('makes room for a rotation by ending a suspended key of the same credential, and no other', async () => {
    const other = store.addKey(owner.subAccountId);
    const both = known({ keys: [key.accessKey, other.accessKey] });
    const rotate = (one: Known) => connector.rotate(upstream, one, wish, held(key));
    await expect(rotate(both)).rejects.toMatchObject({ fault: 'LIMIT_EXCEEDED' });
    other.active = false;
    // A store that counts all keys, and not the active ones alone.
    const full = () =>
      store.meet(
        version === 1
          ? { kind: 'fail', status: 409, body: { errorCode: 9012 } }
          : { kind: 'fail', status: 400, body: { error: { errorCode: 'LimitExceeded' } } },
        { method: 'POST', path: /access-keys$/ },
      );
    full();
    await expect(rotate(known())).rejects.toMatchObject({ fault: 'LIMIT_EXCEEDED' });
    key.active = false;
    full();
    await expect(rotate(known({ enabled: false }))).rejects.toMatchObject({ fault: 'LIMIT_EXCEEDED' });
    key.active = true;
    full();
    const minted = await rotate(both);
    expect([...owner.keys.keys()]).toEqual([key.accessKey, minted.accessKey]);
  });

  test('is clear about a rotation that found no room and could not look for any', async () => {
    store.addKey(owner.subAccountId);
    store.meet({ kind: 'fail', status: 503 }, { method: 'GET' });
    await expect(connector.rotate(upstream, known(), wish, held(key))).rejects.toMatchObject({
      fault: 'UPSTREAM_UNAVAILABLE',
      unclear: false,
    });
  });

  test.each(['garbage', 'drop'] as const)(
    'is unclear about a key whose answer is lost (%s); what is present tells',
    async (kind) => {
      const place = { scope: owner.subAccountId, wish, name: 'any' };
      const before = await connector.present(upstream, place);
      store.meet({ kind }, { method: 'POST' });
      await expect(connector.rotate(upstream, known(), wish, held(key))).rejects.toMatchObject({
        unclear: true,
      });
      const [orphan, ...others] = (await connector.present(upstream, place)).filter(
        (one) => !before.includes(one),
      );
      expect(others).toEqual([]);
      await connector.retire(upstream, owner.subAccountId, orphan ?? '');
      expect([...owner.keys.keys()]).toEqual([key.accessKey]);
    },
  );

  test('revokes and deletes every key of a credential, and is content where they are gone', async () => {
    const other = store.addKey(owner.subAccountId);
    const both = known({ keys: [other.accessKey, 'gone'] });
    await connector.revoke(upstream, both);
    expect(owner.keys.size).toBe(0);
    await connector.delete(upstream, both);
    await connector.retire(upstream, 'gone', key.accessKey);
  });

  test('does not take an address that leads nowhere for a key that is gone', async () => {
    const lost = opened({ addresses: { endpoint: `${store.url}/nowhere` }, settings: upstream.settings });
    await expect(connector.revoke(lost, known())).rejects.toMatchObject({ code: 'STORE_REJECTED' });
    await expect(connector.find(lost, known())).rejects.toMatchObject({ code: 'STORE_REJECTED' });
  });

  test('does not take a refusal for a key that is gone while the list has it', async () => {
    const body = version === 1 ? { errorCode: 904 } : { error: { errorCode: 'BadRequest' } };
    store.meet({ kind: 'fail', status: 400, body }, { method: 'DELETE' });
    await expect(connector.delete(upstream, known())).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(owner.keys.has(key.accessKey)).toBe(true);
  });

  test('is refused to let a key in again where two others are active', async () => {
    store.addKey(owner.subAccountId);
    key.active = false;
    store.addKey(owner.subAccountId);
    await expect(
      connector.update(upstream, known(), make.described({ enabled: true }), null),
    ).rejects.toMatchObject({ fault: 'LIMIT_EXCEEDED', unclear: false });
  });

  test.each([{ active: false }, { canAPIGatewayAccess: false }])(
    'does not show a key as enabled whose sub account is %j, and lets none in there',
    async (change) => {
      Object.assign(owner, change);
      const entries = await make.listed(ncloud, upstream);
      expect(entries.find(({ externalId }) => externalId === key.accessKey)?.enabled).toBe(false);
      expect((await connector.find(upstream, known()))?.enabled).toBe(false);
      const { minted } = await connector.create(upstream, wanted());
      expect(minted.enabled).toBe(false);
      await expect(
        connector.update(upstream, known(), make.described({ enabled: true }), null),
      ).rejects.toMatchObject({ code: 'CONFLICT', unclear: false });
      // Its own switch stays as it is.
      owner.keys.delete(minted.accessKey ?? '');
      const next = await connector.rotate(upstream, known({ enabled: false }), wish, held(key));
      expect(owner.keys.get(next.accessKey ?? '')?.active).toBe(true);
    },
  );

  test('tells when a key was made, and a list what it is of', async () => {
    const { minted } = await connector.create(upstream, wanted());
    expect(minted.createdAt).toBe('2026-01-31T08:07:00.000Z');
    const temporary = await connector.issue(upstream, held(key), { durationMs: 900_000, mfa: null });
    expect(temporary.createdAt).toBe('2026-01-31T08:07:00.000Z');
    const entries = await make.listed(ncloud, upstream);
    expect(entries.find(({ scope }) => scope === owner.subAccountId)).toMatchObject({
      ...{ email: owner.email, allowedIps: [], enabled: true },
    });
  });

  test('suspends a credential with all of its keys, and lets in again the current one alone', async () => {
    const older = store.addKey(owner.subAccountId);
    const one = known({ keys: [key.accessKey, older.accessKey, 'gone'] });
    const disabled = make.described({ enabled: false });
    expect(await connector.update(upstream, one, disabled, null)).toEqual({});
    await connector.update(upstream, one, disabled, null);
    expect([key.active, older.active]).toEqual([false, false]);
    await connector.update(upstream, one, make.described(), null);
    expect([key.active, older.active]).toEqual([true, false]);
  });

  test('checks both services, with addresses that end with the version or not', async () => {
    await connector.check(upstream);
    const { endpoint = '', sts = '' } = upstream.addresses;
    const addresses = { endpoint: `${endpoint}/api/v${version}`, sts: `${sts}/api/v1/` };
    const whole = opened({ addresses, settings: upstream.settings });
    await connector.check(whole);
    expect(await make.listed(ncloud, whole)).toHaveLength(2);
  });

  /** What suspends a key or lets it in. */
  const changing = version === 1 ? { method: 'PUT' } : { method: 'POST', path: /change-status$/ };
});

describe('STS', () => {
  beforeEach(() => open(1));

  test('probes a pair: taken while it signs, and no more once it is ended', async () => {
    expect(await connector.probe(upstream, held(key))).toBe(true);
    expect(await connector.probe(upstream, held({ ...key, secretKey: 'another' }))).toBe(false);
    key.active = false;
    expect(await connector.probe(upstream, held(key))).toBe(false);
    store.meet({ kind: 'fail', status: 503 });
    await expect(connector.probe(upstream, held(key))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    store.meet({ kind: 'fail', status: 200, body: { accessKey: 'of another' } });
    await expect(connector.probe(upstream, held(key))).rejects.toMatchObject({ fault: 'UPSTREAM_ERROR' });
  });

  test('issues a temporary pair of a permanent one, and reveals it to whoever holds it', async () => {
    const minted = await connector.issue(upstream, held(key), { durationMs: 900_999, mfa: null });
    expect(minted).toMatchObject({ expiresAt: '2026-01-31T08:22:00.000Z', mfa: false });
    expect(accepts(minted)).toBe(true);
    expect(store.calls.at(-1)).toMatchObject({ body: '{"durationSec":900}' });
    const temporary = known({ accessKey: minted.accessKey, temporary: true });
    const revealed = await connector.reveal(upstream, temporary, minted);
    expect(revealed?.secret?.expose()).toBe(minted.secret?.expose());
    expect(revealed).toMatchObject({ accessKey: minted.accessKey, expiresAt: minted.expiresAt });
    nowMs += 900_000;
    expect(await connector.reveal(upstream, temporary, minted)).toBeUndefined();
    expect(await connector.probe(upstream, minted)).toBe(false);
  });

  test('reveals nothing of a permanent pair, or of one that Keyway does not hold', async () => {
    expect(await connector.reveal(upstream, known(), held(key))).toBeUndefined();
    expect(await connector.reveal(upstream, known(), null)).toBeUndefined();
  });

  test.each([599_999, 43_201_000])(
    'refuses a duration of %s ms before anything is sent',
    async (durationMs) => {
      await expect(connector.issue(upstream, held(key), { durationMs, mfa: null })).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        fields: [{ path: 'input.duration' }],
      });
      expect(store.calls).toEqual([]);
    },
  );

  const issueWith = (code: string) =>
    connector.issue(upstream, held(key), { durationMs: 600_000, mfa: { device, code: Secret.of(code) } });

  test('passes on the code of a device, as a number where it is the same as one', async () => {
    expect(await issueWith('123456')).toMatchObject({ mfa: true });
    expect(JSON.parse(store.calls.at(-1)?.body ?? '')).toEqual({
      durationSec: 600,
      serialNumber: device,
      tokenCode: 123456,
    });
    store.mfaDevices.set(device, '012345');
    expect(await issueWith('012345')).toMatchObject({ mfa: true });
    expect(JSON.parse(store.calls.at(-1)?.body ?? '')).toMatchObject({ tokenCode: '012345' });
  });

  test('says that a code was not taken, and sends none that cannot be one', async () => {
    await expect(issueWith('654321')).rejects.toMatchObject({ fault: 'MFA_REJECTED', code: 'FORBIDDEN' });
    const sent = store.calls.length;
    await expect(issueWith('12x456')).rejects.toMatchObject({ fault: 'MFA_REJECTED', unclear: false });
    expect(store.calls).toHaveLength(sent);
  });

  test('needs the secret of the pair that it derives from', async () => {
    await expect(connector.issue(upstream, null, { durationMs: 600_000, mfa: null })).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    });
  });

  test.each([{}, { accessKey: 'A', keySecret: 'S' }, { accessKey: 'A', expireTime: '2026-01-31T08:22:00Z' }])(
    'is unclear about a temporary pair that is not whole: %j',
    async (body) => {
      store.meet({ kind: 'fail', status: 200, body });
      await expect(
        connector.issue(upstream, held(key), { durationMs: 600_000, mfa: null }),
      ).rejects.toMatchObject({ unclear: true });
    },
  );
});

describe('Keyway itself there', () => {
  beforeEach(() => open(1));

  test('checks whether its pair is taken, and may list', async () => {
    await expect(connector.check(opened({ secretKey: 'another' }))).rejects.toMatchObject({
      fault: 'UNAUTHENTICATED',
      code: 'STORE_REJECTED',
    });
    await expect(connector.check(opened({ secretKey: '' }))).rejects.toMatchObject({
      fault: 'UNAUTHENTICATED',
    });
    const { accessKey, secretKey } = key;
    await expect(connector.check(opened({ settings: { accessKey }, secretKey }))).rejects.toMatchObject({
      fault: 'FORBIDDEN',
    });
  });

  test('asks who it is where its pair is not described', async () => {
    store.meet({ kind: 'fail', status: 404, body: { errorCode: 404 } }, { path: /credentials$/ });
    await connector.check(upstream);
    expect(store.calls.map(({ path }) => path.replace(/.*\//, ''))).toEqual([
      'credentials',
      'caller-identity',
      'sub-accounts',
    ]);
  });

  test('goes on with its new pair once it has one', async () => {
    const { accessKey = '' } = store.manager;
    const scope = store.manager.subAccountId ?? '';
    const minted = await connector.rotate(upstream, known({ scope, accessKey, keys: [] }), wish, null);
    const { settings, secrets } = make.adopted(connector.adoption(upstream.settings, accessKey), minted);
    const next = opened({ settings, secretKey: secrets['secretKey']?.expose() });
    await connector.check(next);
    await connector.retire(next, scope, accessKey);
    await expect(connector.check(upstream)).rejects.toMatchObject({ fault: 'UNAUTHENTICATED' });
  });

  test('signs by the clock that it is given', async () => {
    nowMs += 86_400_000;
    await connector.check(upstream);
    const late = { ...upstream, now: () => nowMs - 301_000 };
    await expect(connector.check(late)).rejects.toMatchObject({ fault: 'UNAUTHENTICATED' });
  });
});

describe('answers that differ from those of today', () => {
  beforeEach(() => open(1));

  const meet = (path: RegExp, body: unknown) => store.meet({ kind: 'fail', status: 200, body }, { path });
  const page = (items: unknown[]) => ({ items, totalPages: 1, more: { unknown: true } });

  test('reads members by their names, whatever else is there', async () => {
    const id = owner.subAccountId;
    const source = [
      { type: 'IP', source: '192.0.2.7' },
      { type: 'VPC', source: '1234' },
    ];
    const one = { id, loginId: 'x', useApiAllowSource: true, apiAllowSources: source, unknown: 1 };
    meet(/sub-accounts\?/, page([one]));
    meet(/access-keys$/, { items: [{ accessKey: 'K', createTime: 'soon', unknown: [] }] });
    expect(await make.listed(ncloud, upstream)).toEqual([
      {
        externalId: 'K',
        scope: id,
        kind: 'ACCESS_KEY',
        name: 'x',
        fullName: null,
        email: null,
        accessKey: 'K',
        enabled: undefined,
        createdAt: undefined,
        allowedIps: ['192.0.2.7'],
      },
    ]);
  });

  test.each([
    [{ useApiAllowSource: false, apiAllowSources: [{ type: 'IP', source: '192.0.2.7' }] }, []],
    [{ useApiAllowSource: true, apiAllowSources: [{ type: 'VPC', source: '1' }] }, ['unknown']],
    [{ useApiAllowSource: true }, ['unknown']],
    [{}, undefined],
  ])('S52: reads the addresses that %j allows', async (members, allowedIps) => {
    meet(/sub-accounts\?/, page([{ id: owner.subAccountId, ...members }]));
    const [entry] = await make.listed(ncloud, upstream);
    expect(entry?.allowedIps).toEqual(allowedIps);
  });

  test.each([{}, { items: 'none' }, { one: [], two: [] }, [], undefined])(
    'takes %j for no listing',
    async (body) => {
      meet(/sub-accounts\?/, body);
      await expect(make.listed(ncloud, upstream)).rejects.toMatchObject({ fault: 'UPSTREAM_ERROR' });
    },
  );

  test('ends a listing of version 2 that shows the same page for every number', async () => {
    const second = opened({ settings: { subAccountApiVersion: 2 } });
    const items = Array.from({ length: 100 }, () => ({ subAccountId: owner.subAccountId }));
    store.meet({ kind: 'fail', status: 200, body: { list: items } }, { path: /sub-accounts\?/ }, 3);
    const parts = await make.partsOf(ncloud, second);
    expect(parts.map(({ entries, incomplete }) => [entries.length, incomplete])).toEqual([
      [100, undefined],
      [0, true],
    ]);
  });

  test('is unclear about a change that version 1 does not say was made', async () => {
    meet(/access-keys$/, { success: false });
    await expect(connector.revoke(upstream, known())).rejects.toMatchObject({ unclear: true });
  });

  test.each([
    [200, '<html>Sign in</html>', { 'content-type': 'text/html' }],
    [200, { ok: true }, {}],
    [200, {}, {}],
  ])('is unclear about a change that version 2 answers with %d %j', async (status, body, headers) => {
    const second = opened({ settings: { subAccountApiVersion: 2 } });
    for (const path of [/change-status/, /access-keys/]) {
      store.clear();
      store.meet({ kind: 'fail', status, headers, body }, { path }, 5);
      await expect(connector.revoke(second, known())).rejects.toMatchObject({ unclear: true });
    }
    expect(owner.keys.size).toBe(1);
  });

  test('no error says anything of what the store wrote, or of a secret', async () => {
    const body = { error: { errorCode: 'a word with blanks', message: store.manager.secretKey } };
    store.meet({ kind: 'fail', status: 401, body });
    const error = await connector.check(upstream).catch((one: unknown) => one as Error);
    const text = JSON.stringify([error?.message, error?.cause, error]);
    expect(text).not.toContain(store.manager.secretKey);
    expect(text).not.toContain('blanks');
    expect(text).not.toContain('127.0.0.1');
  });
});

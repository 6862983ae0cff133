import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serverRestMs } from '../../../src/outbound/resolver/name-servers.js';
import { openResolver } from '../../../src/outbound/resolver/resolve.js';
import { startNameServer, type NameServer, type Zone } from '../../support/name-server.js';

const folder = mkdtempSync(join(tmpdir(), 'keyway-resolver-'));
const hosts = join(folder, 'hosts');
const resolvConf = join(folder, 'resolv.conf');

let names: NameServer;
beforeAll(async () => {
  names = await startNameServer({
    'store.example.com': ['192.0.2.1', '192.0.2.2', '2001:db8:0:0:0:0:0:1'],
    'v6.example.com': ['2001:db8:0:0:0:0:0:2'],
    'empty.example.com': [],
    'store.ours.cluster.local': ['10.0.0.1'],
    'a.b.ours.cluster.local': ['10.0.0.2'],
    'dead.example.com': 'silence',
    'broken.example.com': 'failure',
    'broken.ours.cluster.local': 'failure',
    broken: ['192.0.2.9'],
  });
});
afterAll(async () => {
  await names.stop();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  writeFileSync(hosts, '');
  writeFileSync(resolvConf, '');
  names.asked.length = 0;
});

const resolver = () => openResolver({ hosts, resolvConf, servers: [names.address] });
const staying = () => new AbortController().signal;
const addressesOf = async (name: string, resolve = resolver()) =>
  (await resolve(name, staying())).map(({ address }) => address).sort();
const askedFor = () => [...new Set(names.asked)];

test('a name has all its addresses of both kinds', async () => {
  const found = await resolver()('store.example.com', staying());
  expect(found).toEqual([
    { address: '192.0.2.1', family: 4 },
    { address: '192.0.2.2', family: 4 },
    { address: '2001:db8::1', family: 6 },
  ]);
  expect(await addressesOf('v6.example.com')).toEqual(['2001:db8::2']);
});

test('an address is itself, and localhost this machine, and nobody is asked', async () => {
  expect(await addressesOf('192.0.2.7')).toEqual(['192.0.2.7']);
  expect(await addressesOf('2001:db8::7')).toEqual(['2001:db8::7']);
  for (const name of ['localhost', 'LOCALHOST', 'localhost.', 'store.localhost'])
    expect(await addressesOf(name)).toEqual(['127.0.0.1', '::1']);
  expect(names.asked).toEqual([]);
});

test('the hosts file comes before DNS, and is read again when it was changed', async () => {
  const resolve = resolver();
  expect(await addressesOf('store.example.com', resolve)).toHaveLength(3);
  writeFileSync(
    hosts,
    '# 192.0.2.66 store.example.com\n10.1.1.1\tStore.Example.com other # the usual\r\n10.1.1.2 store.example.com\nnone of an address\n10.1.1.3 localhost',
  );
  names.asked.length = 0;
  expect(await addressesOf('store.example.com', resolve)).toEqual(['10.1.1.1', '10.1.1.2']);
  expect(await addressesOf('other', resolve)).toEqual(['10.1.1.1']);
  expect(await addressesOf('localhost', resolve)).toEqual(['10.1.1.3']);
  expect(names.asked).toEqual([]);
});

describe('a name is completed as resolv.conf says', () => {
  beforeEach(() =>
    writeFileSync(
      resolvConf,
      '; made for a test\nsearch ours.cluster.local. cluster.local\noptions ndots:2 edns0',
    ),
  );

  test('first where it has few dots, and as it is where that is not there', async () => {
    expect(await addressesOf('store')).toEqual(['10.0.0.1']);
    expect(await addressesOf('a.b')).toEqual(['10.0.0.2']);
    expect(askedFor()).toEqual(['store.ours.cluster.local', 'a.b.ours.cluster.local']);
    names.asked.length = 0;
    expect(await addressesOf('store.example.com')).toHaveLength(3);
    expect(askedFor()).toEqual(['store.example.com']);
  });

  test('and not where it ends with a dot', async () => {
    await expect(addressesOf('store.')).rejects.toThrow('no such name');
    expect(askedFor()).toEqual(['store']);
  });

  test('and not to another, where it is not known whether the one before is there', async () => {
    await expect(addressesOf('broken')).rejects.toMatchObject({ code: 'ESERVFAIL' });
    expect(askedFor()).toEqual(['broken.ours.cluster.local']);
  });
});

test.each(['nobody.example.com', 'empty.example.com', 'broken.example.com'])('%s has none', async (name) => {
  await expect(addressesOf(name)).rejects.toThrow();
});

test('a name server that does not answer is waited for no longer than the one who asks waits', async () => {
  const caller = new AbortController();
  const resolving = resolver()('dead.example.com', caller.signal);
  while (names.asked.length === 0) await new Promise(setImmediate);
  caller.abort();
  await expect(resolving).rejects.toMatchObject({ code: 'ECANCELLED' });
});

describe('a name server that is dead', () => {
  const silence: Zone = { 'store.example.com': 'silence', 'v6.example.com': 'silence' };
  let zone: Zone;
  let first: NameServer;
  beforeEach(async () => {
    zone = { ...silence };
    first = await startNameServer(zone);
  });
  afterEach(() => first.stop());

  test('is asked by one lookup, and then by one in a while, until it answers again', async () => {
    let now = 0;
    const servers = [first.address, names.address];
    const resolve = openResolver({ hosts, resolvConf, servers, now: () => now });
    const lookUp = async () => {
      first.asked.length = 0;
      expect(await addressesOf('store.example.com', resolve)).toHaveLength(3);
      return first.asked.length;
    };
    expect(await lookUp()).toBe(2);
    expect(await lookUp()).toBe(0);
    now += serverRestMs;
    await Promise.all([lookUp(), lookUp()]);
    expect(first.asked).toHaveLength(2);
    expect(await lookUp()).toBe(0);
    now += serverRestMs;
    zone['store.example.com'] = ['192.0.2.1', '192.0.2.2', '2001:db8:0:0:0:0:0:1'];
    names.asked.length = 0;
    expect(await lookUp()).toBe(2);
    expect(await lookUp()).toBe(2);
    expect(names.asked).toEqual([]);
  });

  test('is asked all the same where the others do not answer either', async () => {
    const other = await startNameServer({ ...silence });
    const resolve = openResolver({ hosts, resolvConf, servers: [other.address, first.address] });
    await expect(resolve('store.example.com', staying())).rejects.toMatchObject({ code: 'ETIMEOUT' });
    first.asked.length = 0;
    zone['v6.example.com'] = ['2001:db8:0:0:0:0:0:2'];
    expect(await addressesOf('v6.example.com', resolve)).toEqual(['2001:db8::2']);
    expect(first.asked.length).toBeGreaterThan(0);
    await other.stop();
  });
});

describe('a name server that hears no questions for addresses of one kind', () => {
  const zone: Zone = { 'store.example.com': ['192.0.2.1', '2001:db8:0:0:0:0:0:1'] };
  const once = ['store.example.com', 'store.example.com'];

  test.each([
    ['ipv6', '192.0.2.1'],
    ['ipv4', '2001:db8::1'],
  ] as const)('%s: those of the other do not wait for it, and nothing is asked again', async (drops, has) => {
    const server = await startNameServer(zone, drops);
    const resolve = openResolver({ hosts, resolvConf, servers: [server.address], hasIpv6: true });
    expect(await addressesOf('store.example.com', resolve)).toEqual([has]);
    expect(server.asked).toEqual(once);
    await server.stop();
  });

  test('has no name that it knows none for, and no name is asked for twice for that', async () => {
    const server = await startNameServer(zone, 'ipv6');
    const resolve = openResolver({ hosts, resolvConf, servers: [server.address] });
    await expect(resolve('nobody.example.com', staying())).rejects.toThrow('no such name');
    expect(server.asked).toHaveLength(2);
    await server.stop();
  });

  test('is asked again for IPv4, where no other address is of use', async () => {
    const server = await startNameServer(zone, 'ipv4');
    const resolve = openResolver({ hosts, resolvConf, servers: [server.address], hasIpv6: false });
    expect(await addressesOf('store.example.com', resolve)).toEqual(['2001:db8::1']);
    expect(server.asked).toEqual([...once, ...once]);
    await server.stop();
  });
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { examineConfig, readConfig } from '../../src/config/config.js';
import { readDatabaseUrl } from '../../src/config/database-url.js';

test('everything has a default', () => {
  const config = readConfig({});
  expect(config).toMatchObject({
    production: false,
    host: '127.0.0.1',
    port: 4000,
    databaseUrl: undefined,
    processes: 1,
    logLevel: 'info',
    keyProviders: { chosen: 'file', awsKms: undefined, vault: undefined },
    corsOrigins: [],
    trustedProxies: [],
    hosts: ['localhost', '127.0.0.1', '[::1]'],
    jwtIssuers: [],
    scim: [],
    outboundRanges: [],
    outboundHttpRanges: [],
    outboundLocal: false,
    explorer: true,
    introspection: true,
  });
  expect(config.dataDir).toMatch(/^\/.*\/\.keyway$/);
  expect(config.keysDir).toBe(`${config.dataDir}/keys`);
  expect(Object.isFrozen(config)).toBe(true);
});

test('checkpoints are in the data folder, in another one, in a bucket or in another database', () => {
  const at = (KEYWAY_CHECKPOINTS?: string, more = {}) =>
    readConfig({ KEYWAY_DATA_DIR: '/data', ...(KEYWAY_CHECKPOINTS && { KEYWAY_CHECKPOINTS }), ...more })
      .checkpoints;
  expect(at()).toEqual({ kind: 'folder', path: '/data' });
  expect(at('~/checkpoints')).toEqual({ kind: 'folder', path: `${homedir()}/checkpoints` });
  const bucket = { kind: 's3', bucket: 'my-bucket', prefix: '', pathStyle: false };
  expect(at('s3://my-bucket')).toEqual(bucket);
  expect(at('s3://my-bucket/')).toEqual(bucket);
  expect(at('s3://my-bucket/some/where/')).toEqual({ ...bucket, prefix: 'some/where/' });
  const own = { AWS_ENDPOINT_URL_S3: 'http://minio:9000' };
  expect(at('s3://my-bucket/x', own)).toEqual({ ...bucket, prefix: 'x/', pathStyle: true });
  const url = 'postgres://ada:hunter2@localhost/checkpoints';
  expect(at(url)).toEqual({ kind: 'postgres', url });
  expect(readConfig({})).toMatchObject({ checkpointMonths: 13 });
  expect(readConfig({ KEYWAY_CHECKPOINT_MONTHS: '2' })).toMatchObject({ checkpointMonths: 2 });
});

test.each([
  ['s3://', 'must be a folder, s3://bucket/prefix, or postgres://user@host/database'],
  ['s3://Not_A_Bucket/x', 'must be a folder, s3://bucket/prefix, or postgres://user@host/database'],
  ['https://example.com/hunter2', 'must be a folder, s3://bucket/prefix, or postgres://user@host/database'],
  [
    'postgres://ada:hunter2@db.example.com/x?sslmode=disable',
    'must use TLS, unless the server is on this machine',
  ],
  ['postgres://ada:hunter2@localhost/x?sslmode=what', 'cannot be used: its parameter sslmode must be one of'],
  ['postgres://other:hunter2@127.0.0.1:5432/keyway', 'must not lead to the database of DATABASE_URL'],
])('checkpoints cannot be at %s', (KEYWAY_CHECKPOINTS, why) => {
  const read = () => readConfig({ KEYWAY_CHECKPOINTS, DATABASE_URL: 'postgres://ada:a@localhost/keyway' });
  expect(read).toThrow(`KEYWAY_CHECKPOINTS ${why}`);
  expect(read).not.toThrow('hunter2');
});

test.each([
  ['postgres://ada:hunter2@localhost/keyway', 'must lead to another server than DATABASE_URL'],
  [
    'postgres://ada:hunter2@db.example.com/x?sslmode=disable',
    'must use TLS, unless the server is on this machine',
  ],
  ['https://example.com/hunter2', 'must be a PostgreSQL address: postgres://user@host/database'],
])('queries cannot be read from %s', (KEYWAY_DATABASE_READ_URL, why) => {
  const read = (own: object) => readConfig({ KEYWAY_DATABASE_READ_URL, ...own });
  expect(() => read({ DATABASE_URL: 'postgres://ada:a@127.0.0.1/keyway' })).toThrow(
    `KEYWAY_DATABASE_READ_URL ${why}`,
  );
  expect(() => read({})).toThrow(/KEYWAY_DATABASE_READ_URL needs DATABASE_URL/);
  expect(() => read({})).not.toThrow('hunter2');
});

test.each([
  [{}, []],
  [{ KEYWAY_METRICS_HOST: '::1' }, ['KEYWAY_METRICS_HOST']],
  [{ KEYWAY_METRICS_PORT: '4000' }, ['KEYWAY_METRICS_PORT']],
  [{ KEYWAY_METRICS_PORT: '0', PORT: '0' }, []],
  [{ KEYWAY_INTROSPECTION: 'false' }, ['KEYWAY_EXPLORER']],
  [{ HOST: '0.0.0.0' }, ['NODE_ENV', 'KEYWAY_HOSTS']],
  [
    { HOST: '0.0.0.0', NODE_ENV: 'production', KEYWAY_HOSTS: 'a.example', DATABASE_URL: 'postgres://u@b/c' },
    [],
  ],
  [{ KEYWAY_TRUSTED_PROXIES: '10.0.0.0/8, 0.0.0.0/0' }, ['KEYWAY_TRUSTED_PROXIES']],
  [{ KEYWAY_OUTBOUND_LOCAL: 'true' }, ['KEYWAY_OUTBOUND_LOCAL']],
  [{ NODE_ENV: 'production' }, ['DATABASE_URL']],
])(
  'settings that are hardly meant so are told, and no start is refused for them: %j',
  (environment, names) => {
    const { faults, doubts } = examineConfig(environment);
    expect(faults).toEqual([]);
    expect(doubts.map((doubt) => doubt.split(' ')[0])).toEqual(names);
  },
);

test('~ is the home folder, of the data and of the keys alike', () => {
  const { dataDir, keysDir } = readConfig({ KEYWAY_DATA_DIR: '~/data', KEYWAY_KEYS_DIR: '~/keys' });
  expect([dataDir, keysDir]).toEqual([`${homedir()}/data`, `${homedir()}/keys`]);
  expect(readConfig({ KEYWAY_DATA_DIR: '~' }).dataDir).toBe(homedir());
});

test('in production the console, the explorer and introspection are off', () => {
  const { console, explorer, introspection } = readConfig({ NODE_ENV: 'production' });
  expect([console, explorer, introspection]).toEqual([false, false, false]);
});

test('the console and the explorer may be asked for in production', () => {
  const asked = { NODE_ENV: 'production', KEYWAY_CONSOLE: 'true', KEYWAY_EXPLORER: 'true' };
  expect(readConfig(asked)).toMatchObject({ console: true, explorer: true });
});

const faulty = {
  PORT: 'port-value',
  DATABASE_URL: 'mysql://user:pass-value@host/db-value',
  KEYWAY_DATABASE_POOL: '1',
  KEYWAY_PROCESSES: 'processes-value',
  KEYWAY_LOG_LEVEL: 'level-value',
  KEYWAY_KEK_PROVIDER: 'provider-value',
  KEYWAY_AWS_KMS_KEY: 'alias/key-value',
  KEYWAY_AWS_KMS_ENDPOINT: 'http://endpoint-value',
  KEYWAY_VAULT_ADDRESS: 'http://vault-value:8200',
  KEYWAY_VAULT_TRANSIT_KEY: '../key-value',
  KEYWAY_CORS_ORIGINS: 'https://fine.example, origin-value',
  KEYWAY_TRUSTED_PROXIES: 'proxy-value',
  KEYWAY_HOSTS: 'fine.example, host value',
  KEYWAY_JWT_ISSUERS: '[{ "issuer-value": 1 }]',
  KEYWAY_SCIM: '[{ "client-value": 1 }]',
  KEYWAY_OUTBOUND_RANGES: 'range-value',
  KEYWAY_OUTBOUND_LOCAL: 'local-value',
  KEYWAY_CONSOLE: 'console-value',
  KEYWAY_EXPLORER: 'explorer-value',
  KEYWAY_INTROSPECTION: 'introspection-value',
  KEYWAY_NO_SUCH: 'unknown-value',
};

function faultsOf(environment: Record<string, string>): string {
  try {
    readConfig(environment);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}

test('all faults are told at once, by name', () => {
  const message = faultsOf(faulty);
  for (const name of Object.keys(faulty)) expect(message).toMatch(new RegExp(`^  ${name} `, 'm'));
});

test('no fault tells a value', () => {
  expect(faultsOf(faulty)).not.toMatch(/-value|host value|mysql|fine\.example/);
});

test('the embedded database is for one process', () => {
  expect(faultsOf({ KEYWAY_PROCESSES: '2' })).toMatch(/KEYWAY_PROCESSES must be 1 without DATABASE_URL/);
  expect(readConfig({ KEYWAY_PROCESSES: '1' }).processes).toBe(1);
  expect(readConfig({ KEYWAY_PROCESSES: 'auto' }).processes).toBe(1);
});

test('a process a core, where that is left to Keyway; one core less beside a database', () => {
  const processes = (host: string, count: string) =>
    readConfig({ DATABASE_URL: `postgres://keyway@${host}/keyway`, KEYWAY_PROCESSES: count }).processes;
  const cores = availableParallelism();
  expect(processes('db.example.com', 'auto')).toBe(cores);
  expect(processes('127.0.0.1', 'auto')).toBe(Math.max(1, cores - 1));
  expect([processes('127.0.0.1', '3'), processes('db.example.com', '64')]).toEqual([3, 64]);
});

test.each(['KEYWAY_DATA_DIR', 'DATABASE_URL', 'KEYWAY_HOSTS', 'KEYWAY_JWT_ISSUERS', 'HOST'])(
  '%s in another encoding is refused, and not used with other characters in it',
  (name) => {
    // What Node makes of a byte that is no UTF-8.
    const command = `${name}="$(printf 'a\\344b')" exec node -e 'process.stdout.write(process.env.${name})'`;
    const given = execFileSync('sh', ['-c', command], { encoding: 'utf8' });
    expect(faultsOf({ [name]: given })).toContain(`  ${name} has bytes that are not UTF-8`);
  },
);

test.each([
  ['PORT', '65536'],
  ['PORT', '-1'],
  ['PORT', '80.5'],
  ['PORT', '0x50'],
  ['KEYWAY_DATABASE_POOL', '501'],
  ['KEYWAY_PROCESSES', '0'],
  ['KEYWAY_PROCESSES', '65'],
  ['KEYWAY_PROCESSES', '1.5'],
  ['KEYWAY_PROCESSES', 'AUTO'],
  ['KEYWAY_CONSOLE', 'yes'],
  ['KEYWAY_EXPLORER', 'yes'],
  ['KEYWAY_CORS_ORIGINS', '*'],
  ['KEYWAY_CORS_ORIGINS', 'https://app.example.com/'],
  ['KEYWAY_CORS_ORIGINS', 'null'],
  ['KEYWAY_CORS_ORIGINS', 'https://*.example.com'],
  ['KEYWAY_CORS_ORIGINS', 'https://app.example.com, https://*'],
  ['KEYWAY_CORS_ORIGINS', 'https://app.example.com:443'],
  ['KEYWAY_BASE_PATH', 'keyway'],
  ['KEYWAY_BASE_PATH', '//keyway'],
  ['KEYWAY_BASE_PATH', '/key way'],
  ['KEYWAY_BASE_PATH', 'https://example.com/keyway'],
  ['KEYWAY_KEEP_ALIVE_SECONDS', '0'],
  ['KEYWAY_STOP_DELAY_SECONDS', '301'],
  ['KEYWAY_TRUSTED_PROXIES', '10.0.0.0/33'],
  ['KEYWAY_TRUSTED_PROXIES', 'proxy.example.com'],
  ['KEYWAY_TRUSTED_PROXIES', '10/8'],
  ['KEYWAY_TRUSTED_PROXIES', '010.0.0.0/8'],
  ['KEYWAY_HOSTS', 'https://keyway.example.com'],
  ['KEYWAY_HOSTS', '*.example.com'],
  ['KEYWAY_HOSTS', 'keyway.example.com:0'],
  ['KEYWAY_HOSTS', 'keyway.example.com/graphql'],
  ['KEYWAY_HOSTS', '::1'],
  ['KEYWAY_TRUSTED_PROXIES', '10.1.2.3/8'],
  ['KEYWAY_TRUSTED_PROXIES', '2001:db8::1/32'],
  ['KEYWAY_TRUSTED_PROXIES', '10.0.0.0/08'],
  ['KEYWAY_TRUSTED_PROXIES', '10.0.0.1, ::ffff:10.0.0.0/104'],
  ['KEYWAY_TRUSTED_PROXIES', '::ffff:10.0.0.1'],
  ['KEYWAY_TRUSTED_PROXIES', 'fe80::1%eth0'],
  ['KEYWAY_OUTBOUND_RANGES', '10.0.0.0/33'],
  ['KEYWAY_OUTBOUND_RANGES', '10.1.2.3/8'],
  ['KEYWAY_OUTBOUND_RANGES', '::ffff:10.0.0.0/104'],
  ['KEYWAY_OUTBOUND_RANGES', 'localhost'],
  ['KEYWAY_OUTBOUND_LOCAL', 'yes'],
  ['DATABASE_URL', 'nonsense'],
])('%s=%s is a fault', (name, value) => {
  expect(faultsOf({ [name]: value })).toMatch(new RegExp(`  ${name} must`));
});

describe('beside Services of Kubernetes whose names begin with keyway', () => {
  const service = (name: string, port = '4000') => ({
    [`${name}_SERVICE_HOST`]: '10.96.12.7',
    [`${name}_SERVICE_PORT`]: port,
    [`${name}_SERVICE_PORT_HTTP`]: port,
    [`${name}_PORT`]: `tcp://10.96.12.7:${port}`,
    [`${name}_PORT_${port}_TCP`]: `tcp://10.96.12.7:${port}`,
    [`${name}_PORT_${port}_TCP_PROTO`]: 'tcp',
    [`${name}_PORT_${port}_TCP_PORT`]: port,
    [`${name}_PORT_${port}_TCP_ADDR`]: '10.96.12.7',
    [`${name}_PORT_53_UDP`]: 'udp://10.96.12.7:53',
    [`${name}_PORT_53_UDP_PROTO`]: 'udp',
  });

  test.each(['KEYWAY', 'KEYWAY_METRICS', 'KEYWAY_POSTGRES_RW', 'KEYWAY_V2'])(
    'what is there for %s changes nothing',
    (name) => {
      expect(readConfig({ ...service(name), PORT: '4001' })).toEqual(readConfig({ PORT: '4001' }));
    },
  );

  test('IPv6 changes nothing either', () => {
    const environment = { KEYWAY_SERVICE_HOST: 'fd00::7', KEYWAY_PORT: 'tcp://[fd00::7]:4000' };
    expect(readConfig(environment)).toEqual(readConfig({}));
  });

  test('a setting of the same name is what it says', () => {
    const metrics = { ...service('KEYWAY_METRICS'), KEYWAY_METRICS_PORT: '9464' };
    expect(readConfig(metrics).metrics).toEqual({ host: '127.0.0.1', port: 9464 });
    expect(faultsOf({ ...service('KEYWAY'), KEYWAY_PORT: '4000' })).toMatch(/KEYWAY_PORT is not a setting/);
    expect(faultsOf({ KEYWAY_METRICS_PORT: 'http://10.0.0.1:1' })).toMatch(/KEYWAY_METRICS_PORT must/);
    expect(faultsOf({ KEYWAY_SERVICE_NAME: 'x' })).toMatch(/KEYWAY_SERVICE_NAME is not a setting/);
  });
});

test('lists are read item by item', () => {
  expect(
    readConfig({
      KEYWAY_CORS_ORIGINS: ' https://a.example ,https://b.example:8443,',
      KEYWAY_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
      KEYWAY_OUTBOUND_RANGES: '10.0.0.0/8,fd00::/8',
    }),
  ).toMatchObject({
    corsOrigins: ['https://a.example', 'https://b.example:8443'],
    trustedProxies: ['10.0.0.0/8', '::1'],
    outboundRanges: ['10.0.0.0/8', 'fd00::/8'],
  });
});

test.each(['10.0.0.0/8', '192.168.4.0/24', '100.64.0.1', 'fd00::/8', '127.0.0.1'])(
  'S56: http may be spoken in a network of one’s own: %s',
  (range) => {
    expect(readConfig({ KEYWAY_OUTBOUND_HTTP_RANGES: range }).outboundHttpRanges).toEqual([range]);
  },
);

test.each([
  '0.0.0.0/0',
  '8.0.0.0/6',
  '172.0.0.0/8',
  '203.0.113.0/24',
  '169.254.169.254',
  '2000::/3',
  'fc00::/6',
  'x',
])('S56: http is spoken nowhere else: %s', (range) => {
  expect(() => readConfig({ KEYWAY_OUTBOUND_HTTP_RANGES: range })).toThrow(/KEYWAY_OUTBOUND_HTTP_RANGES/);
});

test.each([
  [{ HOST: '10.0.0.5' }, ['localhost', '127.0.0.1', '[::1]', '10.0.0.5']],
  [{ HOST: 'FD00::5' }, ['localhost', '127.0.0.1', '[::1]', '[fd00::5]']],
  [{ HOST: '::1' }, ['localhost', '127.0.0.1', '[::1]']],
  [{ HOST: '10.0.0.5', KEYWAY_HOSTS: 'Keyway.example.com,[::1]:4000' }, ['keyway.example.com', '[::1]:4000']],
])("Keyway's own hosts, by %j", (environment, hosts) => {
  expect(readConfig(environment).hosts).toEqual(hosts);
});

test.each([
  { url: 'postgres://u@127.0.0.1/d', tls: 'local' },
  { url: 'postgres://u@localhost/d', tls: 'local' },
  { url: 'postgres://u@[::1]/d', tls: 'local' },
  { url: 'postgres:///d?host=/var/run/postgresql', tls: 'local' },
  { url: 'postgres://u@127.0.0.1/d?sslmode=require', tls: 'verified' },
  { url: 'postgres://u@db.example.com/d', tls: 'verified' },
  { url: 'postgres://u@db.example.com/d?sslmode=require', tls: 'verified' },
  { url: 'postgres://u@db.example.com/d?sslmode=verify-full', tls: 'verified' },
  { url: 'postgres://u@db.example.com/d?sslmode=no-verify', tls: 'unverified' },
  { url: 'postgres://u@db.example.com/d?sslmode=disable', tls: 'none' },
  { url: 'postgres://u@db.example.com/d?sslmode=prefer', tls: 'none' },
  { url: 'postgres://u@127.0.0.1.evil.example/d?sslmode=disable', tls: 'none' },
])('S68: $url is reached with TLS: $tls', ({ url, tls }) => {
  expect(readDatabaseUrl(url).tls).toBe(tls);
});

test.each(['disable', 'allow', 'prefer'])('S68: a remote database with sslmode=%s is refused', (mode) => {
  expect(faultsOf({ DATABASE_URL: `postgres://u:p@db.example.com/d?sslmode=${mode}` })).toContain(
    'DATABASE_URL must use TLS',
  );
});

test('S68: a remote database is refused however its host is given', () => {
  expect(
    faultsOf({ DATABASE_URL: 'postgres://u@localhost/d?host=db.example.com&sslmode=disable' }),
  ).toContain('DATABASE_URL must use TLS');
});

test.each([
  ['KEYWAY_INTROSPECTION', 'true'],
  ['KEYWAY_OUTBOUND_LOCAL', 'true'],
  ['KEYWAY_LOG_LEVEL', 'trace'],
  ['KEYWAY_LOG_LEVEL', 'debug'],
  ['NODE_TLS_REJECT_UNAUTHORIZED', '0'],
  ['NODE_OPTIONS', '--inspect-brk'],
  ['DATABASE_URL', 'postgres://u@db.example.com/d?sslmode=no-verify'],
])('S67: %s=%s is refused in production alone', (name, value) => {
  expect(faultsOf({ NODE_ENV: 'production', [name]: value })).toMatch(
    new RegExp(`  ${name} must not|  ${name} must verify`),
  );
  expect(faultsOf({ [name]: value })).toBe('');
});

describe('.env.example, with every example in it taken', () => {
  const text = readFileSync('.env.example', 'utf8').replace(/^#(?=[A-Z_]+=)/gm, '');
  const names = [...text.matchAll(/^([A-Z_]+)=/gm)].map(([, name = '']) => name);
  let folder: string;
  let file: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'keyway-env-'));
    file = join(folder, '.env');
    writeFileSync(file, text);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const print = 'process.stdout.write(JSON.stringify(process.env))';
  const readers: [string, () => string][] = [
    [
      'a shell',
      () => run('sh', ['-c', 'set -a; . "$1"; set +a; "$2" -e "$3"', 'sh', file, process.execPath, print]),
    ],
    ['node --env-file', () => run(process.execPath, [`--env-file=${file}`, '-e', print])],
  ];
  const run = (program: string, args: string[]) =>
    execFileSync(program, args, { encoding: 'utf8', env: { PATH: process.env['PATH'] } });

  test.each(readers)('is a configuration, as %s reads it', (_, read) => {
    const environment = JSON.parse(read()) as Record<string, string>;
    expect(names.length).toBeGreaterThan(15);
    expect(Object.keys(environment)).toEqual(expect.arrayContaining(names));
    expect(readConfig(environment)).toMatchObject({
      production: true,
      jwtIssuers: [{ issuer: 'https://id.example.com', audiences: ['keyway'], keys: 'discovered' }],
    });
  });
});

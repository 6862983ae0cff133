/**
 * @slow 10 s
 * @embedded files that are for others to run
 */
import { validate as lintDockerfile } from 'dockerfile-utils';
import { StatefulSet } from 'kubernetes-models/apps/v1/StatefulSet';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse, parseAllDocuments } from 'yaml';
import { examineConfig, type Config } from '../../src/config/config.js';
import { runKeyway } from '../support/process.js';
import { startTestServer } from '../support/server.js';

// What others run Keyway with: an image, compose, Kubernetes and systemd. Each is held to what well-kept tools know of its
// form, and to Keyway itself: its settings, ports, paths and times.

type Environment = Record<string, string>;
interface Stage {
  name: string;
  folder: string;
  env: Environment;
  user: string | undefined;
  ports: number[];
  volumes: string[];
  steps: { keyword: string; args: string[]; from?: string; text: string }[];
  entrypoint?: string[];
  command?: string[];
  healthCheck?: string[];
}

const read = (path: string) => readFileSync(path, 'utf8');
/** A script, which has no types. */
const load = <Module>(path: string) => import(path) as Promise<Module>;
interface Scripts {
  readStages: (text: string) => Stage[];
  sources: string[];
  consoleSources: string;
}
const stagesOf = async (path: string): Promise<Stage[]> =>
  (await load<Scripts>('../../deploy/dockerfile.mjs')).readStages(read(path));

/** What Keyway is with these settings. */
function configOf(environment: Environment): Config {
  const { config, faults } = examineConfig(environment);
  expect(faults).toEqual([]);
  return config;
}

/** How long a stop may take at most, in seconds: it serves on, and then lets requests finish. */
const stopSeconds = ({ stopDelayMs }: Config) => stopDelayMs / 1_000 + 10;

describe('the image', () => {
  let build: Stage;
  let image: Stage;
  beforeAll(async () => {
    const [first, last, ...more] = await stagesOf('Dockerfile');
    expect(more).toEqual([]);
    if (!first || !last) throw new Error('the Dockerfile has no two stages');
    [build, image] = [first, last];
  });

  test.each(['Dockerfile', 'deploy/pgbouncer/Dockerfile'])(
    '%s has nothing that its linter knows of',
    (path) => {
      expect(lintDockerfile(read(path)).map(({ message, range }) => [range.start.line + 1, message])).toEqual(
        [],
      );
    },
  );

  test('is built from the lockfile, by all sources that there are', async () => {
    const { consoleSources, sources } = await load<Scripts>('../../bin/build.js');
    const copied = build.steps
      .filter(({ keyword }) => keyword === 'COPY')
      .flatMap(({ args }) => args.slice(0, -1));
    expect(copied).toEqual(
      expect.arrayContaining([...sources, consoleSources, 'package-lock.json', '.npmrc', '.swcrc', 'bin']),
    );
    for (const path of copied) expect(existsSync(path)).toBe(true);
    expect(build.steps.filter(({ keyword }) => keyword === 'RUN').map(({ text }) => text)).toEqual([
      'npm ci',
      'node bin/build.js && npm prune --omit=dev && rm node_modules/.package-lock.json node_modules/keyway-console',
    ]);
  });

  test('sends nothing to its builder but what it copies', () => {
    const [first, ...rest] = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(first).toBe('*');
    const sent = rest.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    const copied = [...build.steps, ...image.steps]
      .filter(({ keyword, from }) => keyword === 'COPY' && from === undefined)
      .flatMap(({ args }) => args.slice(0, -1));
    expect(new Set([...sent, 'test/upstreams', 'console/package.json'])).toEqual(
      new Set([...copied, 'test']),
    );
    expect(rest).toContain('test/*');
  });

  test('has the packages that are needed to run it, and what was built', () => {
    const brought = image.steps.flatMap(({ from, args }) => (from === build.name ? args.slice(0, -1) : []));
    expect(brought).toEqual([
      '/build/node_modules',
      '/build/dist/keyway.js',
      '/build/dist/console',
      '/build/dist/embedded',
      '/build/dist/packed',
    ]);
  });

  test('is run by nobody special, in production, with its data in its volume and its port open', () => {
    const config = configOf(image.env);
    expect(config.production).toBe(true);
    expect(image.user).toBe('1000:1000');
    expect(image.volumes).toEqual([config.dataDir]);
    expect(image.ports).toEqual([config.port]);
    expect(config.host).toBe('0.0.0.0');
    expect([...(image.entrypoint ?? []), ...(image.command ?? [])]).toEqual([
      'node',
      'bin/keyway.js',
      'serve',
    ]);
  });

  test('is known to be well by its health check, and not to be where nobody listens', async () => {
    const server = await startTestServer();
    const [, ...args] = image.healthCheck ?? [];
    const check = (PORT: string) => promisify(execFile)(process.execPath, args, { env: { PORT } });
    try {
      await check(new URL(server.url).port);
    } finally {
      await server.stop();
    }
    await expect(check('1')).rejects.toMatchObject({ code: 1 });
  });
});

describe('compose', () => {
  interface Composed {
    services: Record<
      string,
      {
        image?: string;
        profiles?: string[];
        command?: string[];
        build?: string;
        environment?: Environment;
        env_file?: { path: string; required: boolean }[];
        volumes?: string[];
        ports?: string[];
        configs?: { source: string; target: string }[];
        stop_grace_period?: string;
        read_only?: boolean;
        cap_drop?: string[];
        security_opt?: string[];
        network_mode?: string;
      }
    >;
    volumes: Record<string, unknown>;
    configs: Record<string, { content: string }>;
  }
  // As compose does it with `.env`.
  const filled = (text: string) =>
    text.replace(/\$\{(\w+)(:[-?]([^}]*))?\}/g, (_, name: string, __, fallback: string) =>
      name === 'DATABASE_PASSWORD' ? 'c0ffee' : fallback,
    );
  const composed = parse(filled(read('compose.yaml')), { merge: true }) as Composed;
  const keyways = Object.entries(composed.services).flatMap(([name, service]) =>
    name.startsWith('keyway') ? [service] : [],
  );

  test('keeps to the schema of compose files, and has no error that its linter knows of', async () => {
    const lint = (path: string) =>
      promisify(execFile)(process.execPath, ['node_modules/dclint/bin/dclint.cjs', '--quiet', path]);
    await lint('compose.yaml');
    const folder = mkdtempSync(join(tmpdir(), 'keyway-compose-'));
    try {
      const broken = read('compose.yaml').replace('network_mode:', 'network_mood:');
      writeFileSync(join(folder, 'compose.yaml'), broken);
      await expect(lint(join(folder, 'compose.yaml'))).rejects.toMatchObject({
        stdout: expect.stringContaining('invalid-schema') as string,
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('runs two Keyways alike, with settings that a start takes', async () => {
    expect(keyways).toHaveLength(2);
    const image = (await stagesOf('Dockerfile')).at(-1);
    for (const { environment = {}, volumes = [], ports = [], ...service } of keyways) {
      const config = configOf({ ...image?.env, ...environment });
      expect(volumes).toContain(`keyway:${config.dataDir}`);
      expect(ports.map((port) => port.replace(/:\d+:/, ':'))).toEqual([`127.0.0.1:${config.port}`]);
      expect(service).toMatchObject({ build: '.', read_only: true, cap_drop: ['ALL'] });
      expect(service.security_opt).toContain('no-new-privileges:true');
      expect(parseInt(service.stop_grace_period ?? '')).toBeGreaterThan(stopSeconds(config));
    }
  });

  test('names the volumes and files that there are, and no network leads to the database', () => {
    for (const { volumes = [], configs = [], build } of Object.values(composed.services)) {
      for (const volume of volumes) expect(Object.keys(composed.volumes)).toContain(volume.split(':')[0]);
      for (const { source } of configs) expect(Object.keys(composed.configs)).toContain(source);
      if (build !== undefined) expect(existsSync(join(build, 'Dockerfile'))).toBe(true);
    }
    for (const name of ['pgbouncer', 'postgres', 'redis'])
      expect(composed.services[name]).toMatchObject({ network_mode: 'none' });
  });

  test('takes the settings that an operator has, from the two files that the page names', () => {
    for (const { environment = {}, env_file: files = [] } of keyways) {
      expect(Object.keys(environment)).toEqual(
        expect.arrayContaining(['KEYWAY_HOSTS', 'KEYWAY_TRUSTED_PROXIES']),
      );
      expect(files).toEqual([{ path: 'keyway.env', required: false }]);
      const metrics = new URL(/'(http:[^']+metrics)'/.exec(read('docs/operation.md'))?.[1] ?? '');
      expect(metrics.port).toBe(environment['KEYWAY_METRICS_PORT']);
    }
  });

  // https://github.com/docker/compose/issues/12031
  test('puts no file of its own into a service that is read-only, which Compose refuses', () => {
    const services = Object.values(composed.services);
    expect(services.some(({ configs = [] }) => configs.length > 0)).toBe(true);
    for (const { configs = [], read_only: isReadOnly = false } of services)
      expect(isReadOnly && configs.some(({ source }) => 'content' in (composed.configs[source] ?? {}))).toBe(
        false,
      );
  });

  test('PgBouncer is where the Keyways look for it, and PostgreSQL where PgBouncer does', () => {
    const settings = new Map(
      [...read('deploy/pgbouncer/pgbouncer.ini').matchAll(/^(\w+) =[ ]?(.*)$/gm)].map(
        ([, name = '', value = '']) => [name, value],
      ),
    );
    const url = new URL(keyways[0]?.environment?.['DATABASE_URL'] ?? '');
    expect(url.searchParams.get('host')).toBe(settings.get('unix_socket_dir'));
    expect(url.searchParams.get('port')).toBe(settings.get('listen_port'));
    expect(composed.configs['pgbouncer-users']?.content.trim()).toBe(
      `"${url.searchParams.get('user')}" "${url.searchParams.get('password')}"`,
    );
    expect(settings.get(url.pathname.slice(1))).toBe('host=/var/run/postgresql');
    expect(composed.services['postgres']?.volumes).toContain('postgres-socket:/var/run/postgresql');
    expect(settings.get('pool_mode')).toBe('transaction');
  });

  test('Redis is for those who want it, and where the file says that the Keyways find it', () => {
    const { profiles, command = [], volumes } = composed.services['redis'] ?? {};
    expect(profiles).toEqual(['redis']);
    expect(volumes).toEqual(['redis-socket:/data']);
    expect(command[command.indexOf('--unixsocket') + 1]).toBe('/data/redis.sock');
    for (const { environment = {}, volumes: mounted } of keyways) {
      expect(configOf(environment).redis).toBeUndefined();
      const [url = ''] = /unix:\S+redis\.sock/.exec(read('compose.yaml')) ?? [];
      const { redis } = configOf({ ...environment, KEYWAY_REDIS_URL: url });
      expect(redis?.path).toBe('/run/redis/redis.sock');
      expect(mounted).toContain('redis-socket:/run/redis');
    }
  });
});

describe('Kubernetes', () => {
  const models = { NetworkPolicy, PodDisruptionBudget, Service, ServiceAccount, StatefulSet };
  const all = parseAllDocuments(read('deploy/kubernetes/keyway.yaml')).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as { kind: keyof typeof models; apiVersion: string };
  });
  const of = <Kind extends keyof typeof models>(kind: Kind) =>
    all.filter((one) => one.kind === kind) as unknown as ConstructorParameters<(typeof models)[Kind]>[0][];
  const [set] = of('StatefulSet');
  const pod = set?.spec?.template.spec;
  const [container] = pod?.containers ?? [];
  // What an operator puts into secrets.
  const inSecrets: Environment = {
    DATABASE_URL: 'postgres://keyway@db.example.com/keyway',
    KEYWAY_REDIS_URL: 'rediss://:secret@redis.example.com:6380',
  };
  const environment = Object.fromEntries(
    (container?.env ?? []).map(({ name, value }) => [name, value ?? inSecrets[name]]),
  ) as Environment;

  test('each manifest keeps to the schema of its kind', () => {
    expect(all.map(({ kind }) => kind).sort()).toEqual([...Object.keys(models), 'Service'].sort());
    for (const one of all) {
      const made = new models[one.kind](one as never);
      expect(made.apiVersion).toBe(one.apiVersion);
      expect(() => made.validate()).not.toThrow();
    }
  });

  test('the pods have settings that a start takes, ports that it opens, and time to stop', async () => {
    const image = (await stagesOf('Dockerfile')).at(-1);
    const config = configOf({ ...image?.env, ...environment });
    expect(container?.ports).toEqual([
      { name: 'http', containerPort: config.port },
      { name: 'metrics', containerPort: config.metrics?.port },
    ]);
    expect(config.metrics?.host).toBe('0.0.0.0');
    expect(pod?.terminationGracePeriodSeconds).toBeGreaterThan(stopSeconds(config));
    const mounts = new Map(container?.volumeMounts?.map(({ name, mountPath }) => [name, mountPath]));
    expect(mounts.get('data')).toBe(config.dataDir);
    expect(mounts.get('keys')).toBe(config.keysDir);
    const named = [
      ...(pod?.volumes ?? []),
      ...(set?.spec?.volumeClaimTemplates ?? []).map(({ metadata }) => metadata),
    ];
    expect([...mounts.keys()].sort()).toEqual(named.map((one) => one?.name ?? '').sort());
  });

  test('key files are for the group of the process alone, and the process is as little as can be', () => {
    const [keys] = pod?.volumes ?? [];
    expect(keys?.secret?.defaultMode).toBe(0o440);
    expect(pod?.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000 });
    expect(container?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod?.automountServiceAccountToken).toBe(false);
  });

  test('with what stands in comments it logs in to Vault by a token of its own, and may reach it', () => {
    const whole = read('deploy/kubernetes/keyway.yaml').replace(/^( *)# ((?:- | {2}).*)$/gm, '$1$2');
    const documents = parseAllDocuments(whole).map((document) => {
      expect(document.errors).toEqual([]);
      return document.toJS() as { kind: keyof typeof models };
    });
    for (const one of documents) expect(() => new models[one.kind](one as never).validate()).not.toThrow();
    const ofKind = <Kind extends keyof typeof models>(kind: Kind) =>
      documents.find((one) => one.kind === kind) as unknown as ConstructorParameters<
        (typeof models)[Kind]
      >[0];
    const spec = ofKind('StatefulSet')?.spec?.template.spec;
    const volume = spec?.volumes?.find(({ projected }) => projected);
    const mount = spec?.containers[0]?.volumeMounts?.find(({ name }) => name === volume?.name);
    const token = volume?.projected?.sources?.[0]?.serviceAccountToken;
    const { login, address } =
      configOf({
        ...environment,
        KEYWAY_KEK_PROVIDER: 'vault',
        KEYWAY_VAULT_ADDRESS: 'https://vault.example.com:8200',
        KEYWAY_VAULT_TRANSIT_KEY: 'keyway',
        KEYWAY_VAULT_KUBERNETES_ROLE: 'keyway',
      }).keyProviders.vault ?? {};
    expect(login).toMatchObject({ tokenFile: join(mount?.mountPath ?? '', token?.path ?? '') });
    const ports = ofKind('NetworkPolicy')?.spec?.egress?.flatMap(({ ports: open = [] }) => open);
    expect(ports?.map(({ port }) => port)).toContain(Number(new URL(address ?? '').port));
    expect(read('docs/key-providers.md')).toContain(` audience=${token?.audience} `);
  });

  test('the probes ask what answers them', async () => {
    const server = await startTestServer();
    try {
      const { startupProbe, livenessProbe, readinessProbe } = container ?? {};
      for (const probe of [startupProbe, livenessProbe, readinessProbe])
        expect((await fetch(`${server.url}${probe?.httpGet?.path}`)).status).toBe(200);
      // One whose database is gone is not ready, and is not to be started anew for it.
      expect([readinessProbe?.httpGet?.path, livenessProbe?.httpGet?.path]).toEqual(['/ready', '/health']);
    } finally {
      await server.stop();
    }
  });

  test('services, the budget and the policy are of these pods', () => {
    const labels = set?.spec?.template.metadata?.labels;
    const selectors = [
      set?.spec?.selector.matchLabels,
      ...of('Service').map((service) => service?.spec?.selector),
      of('PodDisruptionBudget')[0]?.spec?.selector?.matchLabels,
      of('NetworkPolicy')[0]?.spec?.podSelector?.matchLabels,
    ];
    for (const selector of selectors) expect(selector).toEqual(labels);
    expect(of('Service').map((service) => service?.metadata?.name)).toContain(set?.spec?.serviceName);
    const open = of('NetworkPolicy')[0]?.spec?.ingress?.flatMap(({ ports = [] }) =>
      ports.map(({ port }) => port),
    );
    expect(open).toEqual(container?.ports?.map(({ containerPort }) => containerPort));
    expect(set?.spec?.replicas).toBeGreaterThan(1);
  });
});

describe('systemd', () => {
  const unit = read('deploy/keyway.service');
  const said = (name: string) =>
    [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(([, value = '']) => value);
  const settings = Object.fromEntries(
    [...read('deploy/keyway.env').matchAll(/^([A-Z_]+)="?(.*?)"?$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );

  test('the unit has settings that a start takes, its data in its state folder, and time to stop', () => {
    const config = configOf(settings);
    expect(config.production).toBe(true);
    expect(`/var/lib/${said('StateDirectory')[0]}`).toBe(config.dataDir);
    expect(Number(said('TimeoutStopSec')[0])).toBeGreaterThan(stopSeconds(config));
    const [, script = '', command] = said('ExecStart')[0]?.split(' ') ?? [];
    expect([existsSync(script), command]).toEqual([true, 'serve']);
    // The command of an operator has the same settings, program and user.
    const operators = read('deploy/keyway');
    for (const part of [said('EnvironmentFile')[0], said('WorkingDirectory')[0], `-u ${said('User')[0]} `])
      expect(operators).toContain(part);
  });

  test('systemd itself has nothing to say of the unit, where it is installed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keyway-unit-'));
    try {
      // It looks whether the program is there: ours may be elsewhere.
      const path = join(folder, 'keyway.service');
      writeFileSync(path, unit.replace('/usr/bin/node', process.execPath));
      const verified = () =>
        execFileSync('systemd-analyze', ['verify', path], { encoding: 'utf8', stdio: 'pipe' });
      if (existsSync('/usr/bin/systemd-analyze')) expect(verified()).toBe('');
      expect(unit).toMatch(/^ExecStart=\/usr\/bin\/node /m);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test('where the page runs what is built here, what that needs was installed before', () => {
  const running = blocks().filter((text) => text.includes('npm run keyway'));
  expect(running.length).toBeGreaterThan(0);
  for (const text of running) expect(text.split('npm run keyway')[0]).toMatch(/^npm ci$/m);
});

/** The blocks of commands on the page about operation. */
const blocks = () =>
  [...read('docs/operation.md').matchAll(/^```text\n([^]*?)^```/gm)].map(([, text = '']) => text);

test('all that has connections to the database is stopped before the page has it renamed', () => {
  const { services } = parse(read('compose.yaml'), { merge: true }) as { services: Record<string, unknown> };
  const renaming = blocks().filter((text) => text.includes('docker compose') && text.includes('RENAME TO'));
  expect(renaming).toHaveLength(1);
  const [, names = ''] = /^docker compose stop (.*)$/m.exec(renaming[0] ?? '') ?? [];
  expect(names.split(' ').sort()).toEqual(
    Object.keys(services)
      .filter((name) => name !== 'postgres' && name !== 'redis')
      .sort(),
  );
});

test('what the page applies is what runs Keyway, and no example beside it', () => {
  const applied = blocks().flatMap((text) => [...text.matchAll(/apply --filename (deploy\S*)/g)]);
  expect(applied.map(([, path]) => path)).toEqual(['deploy/kubernetes/keyway.yaml']);
});

test('each command of Keyway on the page about operation is one that there is', async () => {
  const lines = [...read('docs/operation.md').matchAll(/^keyway ((?:[a-z]+ ?)+)/gm)].map(([, words = '']) =>
    words.trim().split(' '),
  );
  // Of `keys rotate kek`, the last word is what is given to it.
  const commands = new Set(lines.map((words) => words.slice(0, 2).join(' ')));
  expect([...commands]).toEqual(
    expect.arrayContaining(['doctor', 'migrate', 'keys rotate', 'restore accept']),
  );
  for (const command of commands) {
    const { code, output } = await runKeyway([...command.split(' '), '--help']);
    expect([code, output.split('\n')[0]]).toEqual([0, expect.stringContaining(`Usage: keyway ${command}`)]);
  }
});

test('every setting that these files name is one of Keyway', () => {
  const files = [
    'Dockerfile',
    'compose.yaml',
    ...readdirSync('deploy', { recursive: true, encoding: 'utf8' }).map((name) => join('deploy', name)),
  ];
  const named = files
    .filter((path) => /\.(yaml|env|service|ini)$|Dockerfile$/.test(path))
    .flatMap((path) => [...read(path).matchAll(/\bKEYWAY_[A-Z_]+/g)].map(([name]) => name));
  expect(named.length).toBeGreaterThan(8);
  const { faults } = examineConfig(Object.fromEntries(named.map((name) => [name, ''])));
  expect(faults).toEqual([]);
});

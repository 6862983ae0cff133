import { Permission } from '../../access/principal.js';
import { AccountKind, adminAccountId } from '../../accounts/account.js';
import type { CreateAccountInput } from '../../accounts/account.input.js';
import { createAccount } from '../../accounts/create.js';
import { StoreError } from '../../connectors/store-error.js';
import type { RequestContext } from '../../access/context.js';
import { createCredential } from '../../credentials/create.js';
import type { Credential } from '../../credentials/record/credential.js';
import type { CreateCredentialInput } from '../../credentials/credential.input.js';
import { revokeCredential } from '../../credentials/revoke.js';
import { rotateCredential } from '../../credentials/rotate.js';
import { sql } from '../../database/database.js';
import { requestsOf } from './request.js';
import { encodeId } from '../../ids.js';
import type { Keyway } from '../keyway.js';
import type { Log } from '../../log.js';
import { createProject } from '../../projects/create.js';
import { createRole } from '../../roles/create.js';
import { grantRole } from '../../roles/grant-role.js';
import type { WatchedGates } from '../../stores/gate.js';
import { instant, dayMs } from '../../time.js';

/**
 * Fills a Keyway that holds only what its first start made with examples of every kind, each made as a caller would
 * make it, by the administrator. Returns what to tell the person who asked for it, without any secret.
 * @param next what to do then, to see it
 * @throws an Error to show, and changes nothing, where somebody has made something already.
 */
export async function fill(
  keyway: Keyway,
  log: Log,
  next = 'run `npm start` and open the address that it prints in a browser',
): Promise<string> {
  const { db } = keyway;
  return db.alone(async () => {
    const [found] = await db.rows<{ empty: boolean; credentialId: string | null }>(emptiness, {
      admin: adminAccountId,
    });
    if (!found?.empty)
      throw new Error(
        `This Keyway is not empty: the examples are only for one that nobody has used yet. ${elsewhere(db)}`,
      );
    const requests = await requestsOf(keyway, log, found.credentialId, noGates, false);
    const make = new Maker(requests.next);
    const place = await makePlace(make);
    await makeLandscape(make, place);
    await makeTower(make, place);
    await makeVeracode(make, place);
    await makeApinizer(make, place);
    await makeNcloud(make, place);
    await makeToken(make, place);
    await requests.finish();
    return tell(make.made, next, keyway.tokenPath ?? 'the file admin-token of the data folder');
  });
}

const elsewhere = ({ embedded }: Keyway['db']) =>
  embedded
    ? 'Name another data folder, such as KEYWAY_DATA_DIR=.keyway-demo.'
    : 'Name an empty database with DATABASE_URL, and another data folder with KEYWAY_DATA_DIR.';

/** The examples live in Keyway's own store: they call nobody. */
const noGates: WatchedGates = {
  call: () => Promise.reject(new StoreError('UPSTREAM_UNAVAILABLE', { sent: false })),
  trial: (_, work) => work(),
  circuitOf: () => 'CLOSED',
  circuits: () => new Map(),
  takeSpent: () => new Map(),
  forget: () => undefined,
};

/** What a request of the administrator carries; each verb gets one of its own. */
type Request = () => RequestContext;

/** What happened to a credential before Keyway was asked to keep it, which no verb can say. */
interface History {
  createdAt?: string;
  lastUsedAt?: string;
  expiresAt?: string;
  rotationDueAt?: string;
}

/** The verbs, as the examples use them: with public ids, and with a history where one belongs to the example. */
class Maker {
  readonly made: Made[] = [];

  constructor(readonly request: Request) {}

  /** The instant so many days from now. */
  days(count: number): string {
    return instant(this.request().at + count * dayMs);
  }

  async account(
    kind: AccountKind,
    name: string,
    title: string,
    more: Pick<CreateAccountInput, 'email' | 'parent'> = {},
  ): Promise<string> {
    return encodeId('Account', (await createAccount(this.request(), { kind, name, title, ...more })).id);
  }

  async role(name: string, description: string, permissions: Permission[]): Promise<string> {
    return encodeId('Role', (await createRole(this.request(), { name, description, permissions })).id);
  }

  /** @param about what there is to see in it */
  async credential(about: string, input: CreateCredentialInput, history: History = {}): Promise<string> {
    const { credential } = await createCredential(this.request(), input);
    const unknown = { createdAt: null, lastUsedAt: null, expiresAt: null, rotationDueAt: null };
    await this.request().db.rows(past, { id: credential.id, ...unknown, ...history });
    this.made.push({ credential, about });
    return encodeId('Credential', credential.id);
  }
}

/** The ids of the accounts, the project and the roles. */
type DemoIds = Awaited<ReturnType<typeof makePlace>>;

async function makePlace(make: Maker) {
  const { ORGANIZATION, PERSON, SERVICE } = AccountKind;
  const onward = await make.account(ORGANIZATION, 'onward', 'Onward, Inc.');
  const upside = await make.account(ORGANIZATION, 'upside', 'Upside Software, Ltd.');
  const john = await make.account(PERSON, 'john.doe', 'John Doe', {
    email: 'user@example.com',
    parent: onward,
  });
  const chief = await make.account(PERSON, 'admin.user', 'Admin User', {
    email: 'admin@example.com',
    parent: onward,
  });
  const api = await make.account(SERVICE, 'onward-api', "Onward's API service", { parent: onward });
  const deploy = await make.account(SERVICE, 'upside-deploy', "Upside's deployments", { parent: upside });

  const { id } = await createProject(make.request(), {
    account: onward,
    name: 'MyProject',
    title: 'My project',
    description: 'The API proxies of Onward, Inc.',
  });
  const project = encodeId('Project', id);

  const using = [Permission.CREDENTIAL_READ];
  const renewing = [...using, Permission.CREDENTIAL_ROTATE];
  const keeping = [
    ...renewing,
    Permission.CREDENTIAL_CREATE,
    Permission.CREDENTIAL_UPDATE,
    Permission.CREDENTIAL_REVOKE,
  ];
  const apiUser = await make.role('API_USER', 'Calls the API proxies.', using);
  const developer = await make.role('DEVELOPER', 'Sees credentials and renews their secrets.', renewing);
  const admin = await make.role('ADMIN', 'Keeps the credentials.', keeping);
  await grantRole(make.request(), { account: api, role: apiUser, onProject: project });
  await grantRole(make.request(), { account: john, role: developer, onProject: project });
  await grantRole(make.request(), { account: chief, role: admin, onAccount: onward });
  return { onward, upside, john, chief, api, deploy, project, apiUser, developer, admin };
}

/** As in Landscape: the keys of one person, for each account that the person works in. */
async function makeLandscape(make: Maker, { onward, upside, john }: DemoIds): Promise<void> {
  const key: Omit<CreateCredentialInput, 'account'> = {
    owner: john,
    name: 'Landscape API',
    category: 'landscape',
    secret: { accessKey: { secretFormat: 'BASE64' } },
    retrievable: true,
  };
  await make.credential(
    'used today',
    { ...key, account: onward },
    { createdAt: make.days(-200), lastUsedAt: make.days(-0.1) },
  );
  const id = await make.credential(
    'rotating: the previous secret works for a week',
    { ...key, account: upside },
    { createdAt: make.days(-400), lastUsedAt: make.days(-1) },
  );
  await rotateCredential(make.request(), { id, gracePeriod: 'P7D' });
}

/** As in Seqera Tower: the keys of outside providers. */
async function makeTower(make: Maker, { onward, upside, deploy }: DemoIds): Promise<void> {
  const secretKey = 'an-example-and-nobodys-key';
  await make.credential(
    'last used in 2020',
    {
      account: onward,
      name: 'Git Hub Access Credentials',
      description: 'Git Hub corporate account',
      category: 'repositories',
      secret: { providerKeys: { github: { accessKey: 'onward-bot', secretKey } } },
    },
    { createdAt: '2020-11-10T11:20:18.024019Z', lastUsedAt: '2020-11-10T12:20:18.024019Z' },
  );
  await make.credential(
    'never used',
    {
      account: upside,
      owner: deploy,
      name: 'AWS Batch',
      description: 'Where the pipelines run',
      category: 'compute',
      secret: { providerKeys: { aws: { accessKey: 'AKIAUPSIDEEXAMPLE000', secretKey } } },
    },
    { createdAt: make.days(-120) },
  );
}

/** As in Veracode: HEX keys that end after a year, a person's own and those of an API service account. */
async function makeVeracode(make: Maker, { john, chief, api }: DemoIds): Promise<void> {
  const key: Omit<CreateCredentialInput, 'account'> = {
    name: 'Veracode API',
    category: 'veracode',
    secret: { accessKey: { secretFormat: 'HEX' } },
    expiresAt: make.days(365),
  };
  await make.credential(
    "a person's own, ends in a year",
    { ...key, account: john, owner: john },
    { lastUsedAt: make.days(-0.5) },
  );
  await make.credential(
    "a service's, due for rotation in ten days",
    { ...key, account: api, owner: chief, rotationPolicy: { every: 'P90D', gracePeriod: 'P1D' } },
    { createdAt: make.days(-80), lastUsedAt: make.days(-2), rotationDueAt: make.days(10) },
  );
}

/** As in Apinizer: the credentials of a project. */
async function makeApinizer(make: Maker, place: DemoIds): Promise<void> {
  const { onward, john, chief, project, apiUser, developer, admin } = place;
  await make.credential(
    'expired',
    {
      account: onward,
      owner: john,
      project,
      name: 'api-user',
      description: 'API user credential',
      fullName: 'John Doe',
      email: 'user@example.com',
      secret: { password: { username: 'api-user' } },
      roles: [apiUser, developer],
      allowedIps: ['192.168.1.100', '10.0.0.0/8'],
    },
    { createdAt: '2024-01-01T00:00:00Z', expiresAt: '2024-12-31T23:59:59Z' },
  );
  await make.credential(
    'used today',
    {
      account: onward,
      owner: chief,
      project,
      name: 'admin',
      description: 'Administrator credential',
      fullName: 'Admin User',
      email: 'admin@example.com',
      secret: { password: { username: 'admin' } },
      roles: [admin],
    },
    { createdAt: make.days(-300), lastUsedAt: make.days(-0.2) },
  );
  await make.credential(
    'disabled, and nobody answers for it',
    {
      account: onward,
      project,
      name: 'partner',
      description: 'A partner who is away',
      fullName: 'Jane Roe',
      email: 'jane.roe@example.com',
      secret: { password: { username: 'partner' } },
      roles: [apiUser],
      enabled: false,
    },
    { createdAt: make.days(-100), lastUsedAt: make.days(-95) },
  );
}

/** As in Naver Cloud Platform: the permanent keys of a main account and of its sub account. */
async function makeNcloud(make: Maker, { upside, deploy }: DemoIds): Promise<void> {
  const key: Pick<CreateCredentialInput, 'category' | 'secret'> = {
    category: 'ncloud',
    secret: { accessKey: { prefix: 'ncp_iam_' } },
  };
  await make.credential(
    'used today',
    { ...key, account: upside, name: 'NCP main account key' },
    { createdAt: make.days(-700), lastUsedAt: make.days(-0.3) },
  );
  await make.credential(
    'never used',
    { ...key, account: deploy, owner: deploy, name: 'NCP sub account key' },
    { createdAt: make.days(-10) },
  );
  const id = await make.credential(
    'revoked',
    { ...key, account: upside, name: 'NCP main account key, before' },
    { createdAt: make.days(-1100), lastUsedAt: make.days(-690) },
  );
  await revokeCredential(make.request(), { id, reason: 'Replaced by a new key.' });
}

/** What a service proves itself with to Keyway. */
async function makeToken(make: Maker, { api }: DemoIds): Promise<void> {
  await make.credential('may only read, ends in 20 days', {
    account: api,
    owner: api,
    name: "API service's token",
    secret: { token: { permissions: [Permission.CREDENTIAL_READ] } },
    expiresAt: make.days(20),
  });
}

interface Made {
  credential: Credential;
  about: string;
}

const tell = (made: readonly Made[], next: string, tokenPlace: string): string =>
  [
    'Made the accounts onward (Onward, Inc.) and upside (Upside Software, Ltd.) with people and services in them,',
    'the project MyProject, the roles API_USER, DEVELOPER and ADMIN, and these credentials:',
    '',
    ...made.map(
      ({ credential: { kind, name }, about }) => `  ${kind.padEnd(13)}  ${name.padEnd(28)}  ${about}`,
    ),
    '',
    `Next: ${next}. It asks for a token:`,
    `the administrator's is in ${tokenPlace}.`,
  ].join('\n');

// Tokens of the administrator are made on the command line, too; and what was deleted is not in the way.
const emptiness = sql(`
  SELECT NOT EXISTS (SELECT 1 FROM accounts WHERE deleted_at IS NULL AND NOT built_in)
      AND NOT EXISTS (SELECT 1 FROM projects WHERE deleted_at IS NULL AND NOT admin)
      AND NOT EXISTS (SELECT 1 FROM roles WHERE NOT built_in)
      AND NOT EXISTS (SELECT 1 FROM credentials WHERE deleted_at IS NULL AND NOT (kind = 'TOKEN' AND account_id = :admin))
    AS empty,
    (SELECT id FROM credentials WHERE account_id = :admin AND kind = 'TOKEN' ORDER BY created_at, id LIMIT 1)
      AS "credentialId"`);

const past = sql(`
  WITH told AS (
    UPDATE credentials SET
      created_at = coalesce(CAST(:createdAt AS timestamptz), created_at),
      updated_at = coalesce(CAST(:createdAt AS timestamptz), updated_at),
      expires_at = coalesce(CAST(:expiresAt AS timestamptz), expires_at),
      rotation_due_at = coalesce(CAST(:rotationDueAt AS timestamptz), rotation_due_at)
    WHERE id = :id RETURNING id, created_at
  ), version AS (
    UPDATE credential_versions v SET created_at = told.created_at, last_used_at = CAST(:lastUsedAt AS timestamptz)
    FROM told WHERE v.credential_id = told.id
  )
  UPDATE credential_uses u SET
    last_used_at = coalesce(CAST(:lastUsedAt AS timestamptz), u.last_used_at),
    unused_since = greatest(told.created_at, CAST(:lastUsedAt AS timestamptz))
  FROM told WHERE u.credential_id = told.id`);

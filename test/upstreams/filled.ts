import type { StandIns, StandInStore } from '../../src/start/demo/stores.js';
import { startApinizer } from './apinizer.js';
import { startLandscape } from './landscape.js';
import { startNcloud } from './ncloud.js';
import { startSeqera } from './seqera.js';
import { startVeracode } from './veracode.js';

/** Starts a server in the place of each vendor, with a few credentials in it, some of which end soon. */
export async function startFilled(): Promise<StandIns> {
  const started = await Promise.all([landscape(), seqera(), veracode(), apinizer(), ncloud()]);
  return {
    stores: started.map(({ store }) => store),
    stop: async () => void (await Promise.all(started.map(({ standIn }) => standIn.stop()))),
  };
}

const inDays = (count: number) => Date.now() + count * 86_400_000;

/** A person with a pair of keys in one account, and none in the other yet. */
async function landscape() {
  const standIn = await startLandscape({
    accounts: [
      { name: 'onward', title: 'Onward, Inc.' },
      { name: 'upside', title: 'Upside Software, Ltd.', pair: null },
    ],
    person: { name: 'John Doe', email: 'john@example.com' },
  });
  const { email, password } = standIn.person;
  return storeOf(standIn, 'landscape', 'upside', { landscape: { endpoint: standIn.url, email, password } });
}

/** Keys of repositories and clouds, in two workspaces. */
async function seqera() {
  const workspaces = ['4242', '4243'];
  const standIn = await startSeqera({ workspaces });
  const keys = { username: 'onward-bot', password: 'an-example-and-nobodys-key' };
  const given = [
    { name: 'github-bot', provider: 'github', description: 'Where the pipelines are kept', keys },
    { name: 'gitlab-mirror', provider: 'gitlab', description: null, keys },
    { name: 'images', description: 'The registry of images' },
  ];
  standIn.seed(given.length, (index) => ({ ...given[index], workspaceId: workspaces[index % 2] }));
  const { url: endpoint, token } = standIn;
  return storeOf(standIn, 'seqera', 'upside', { seqera: { endpoint, token, workspaces } });
}

/** Pairs of three users, of which one ends in twelve days and one in twenty-five. */
async function veracode() {
  const standIn = await startVeracode();
  const people = [
    { user_name: 'jane.roe@example.com', first_name: 'Jane', last_name: 'Roe', days: 12 },
    { user_name: 'pipeline@example.com', first_name: 'Pipeline', last_name: 'Account', days: 25 },
    { user_name: 'john.doe@example.com', first_name: 'John', last_name: 'Doe', days: 300 },
  ];
  for (const { days, ...user } of people)
    standIn.addPair(standIn.addUser(user).user_id).expiresMs = inDays(days);
  const { apiId, apiKey } = standIn.admin;
  return storeOf(standIn, 'veracode', 'onward', { veracode: { endpoint: standIn.url, apiId, apiKey } }, [
    { name: 'john.doe@example.com', owner: 'john.doe' },
  ]);
}

/** Users of a gateway, one with roles, a list of addresses and an end in ten days. */
async function apinizer() {
  const standIn = await startApinizer({ projects: ['Orders'], roles: ['READER', 'WRITER'] });
  const given = [
    {
      username: 'partner-api',
      fullName: 'Partner API',
      email: 'partner@example.com',
      roleNameList: ['READER', 'WRITER'],
      ipList: ['192.0.2.0/24', '198.51.100.7'],
      expireDate: new Date(inDays(10)).toISOString(),
    },
    {
      username: 'warehouse',
      fullName: 'Warehouse',
      email: 'warehouse@example.com',
      roleNameList: ['READER'],
    },
    { username: 'old-shop', fullName: 'The Old Shop', email: 'shop@example.com', enabled: false },
  ];
  standIn.seed(given.length, (index) => ({ ...given[index] }));
  const { url: endpoint, token } = standIn;
  return storeOf(standIn, 'apinizer', 'onward', { apinizer: { endpoint, token } }, [
    { name: 'partner-api', owner: 'john.doe', project: 'MyProject' },
    { name: 'warehouse', owner: 'admin.user' },
  ]);
}

/** Keys of sub accounts, one of which is old. */
async function ncloud() {
  const standIn = await startNcloud();
  for (const [loginId, days] of [
    ['media-encoder', -400],
    ['backup', -30],
  ] as const)
    standIn.addKey(standIn.addSubAccount(loginId).subAccountId, new Date(inDays(days)));
  const { accessKey, secretKey } = standIn.manager;
  const { url } = standIn;
  return storeOf(standIn, 'ncloud', 'upside', {
    ncloud: { stsEndpoint: url, subAccountEndpoint: url, accessKey, secretKey },
  });
}

const storeOf = <Server>(
  standIn: Server,
  name: string,
  account: string,
  connection: StandInStore['connection'],
  owned: NonNullable<StandInStore['owned']> = [],
): { standIn: Server; store: StandInStore } => ({ standIn, store: { name, account, connection, owned } });

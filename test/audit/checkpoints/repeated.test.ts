import { jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { CheckpointFolder } from '../../../src/audit/checkpoints/folder.js';
import { makeStore } from '../../stores/stores.js';
import { expectData, makeAccount, makeCredential, unique } from '../../support/make.js';
import { startTestServer, type Answer, type TestServer } from '../../support/server.js';
import { startNcloud, type Ncloud } from '../../upstreams/ncloud.js';
import { create, revoke, rotate } from '../../credentials/verbs.js';

// A request is repeated while what the first one ended is on its way to the checkpoints.

let server: TestServer;
let at: Ncloud;
let account: string;
beforeAll(async () => {
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  at = await startNcloud();
  account = await makeAccount(server);
});
afterAll(async () => {
  await server.stop();
  await at.stop();
});

/** Holds what is written to the checkpoints from now on, until `release` is called. */
function holdLines() {
  let [release, held] = [() => {}, () => {}];
  const released = new Promise<void>((resolve) => (release = resolve));
  const reached = new Promise<void>((resolve) => (held = resolve));
  const write = Reflect.get<CheckpointFolder, 'append'>(CheckpointFolder.prototype, 'append');
  const spied = jest.spyOn(CheckpointFolder.prototype, 'append').mockImplementation(async function (
    this: CheckpointFolder,
    ...lines
  ) {
    held();
    await released;
    return write.apply(this, lines);
  });
  return { reached, release: () => (spied.mockRestore(), release()) };
}

async function outside(): Promise<string> {
  const { accessKey, secretKey } = at.manager;
  const store = await makeStore(server, account, {
    ncloud: { stsEndpoint: at.url, subAccountEndpoint: at.url, accessKey, secretKey },
  });
  const scope = at.addSubAccount(unique('builds')).subAccountId;
  const input = { store, account, name: unique('builds'), scope, secret: { accessKey: {} } };
  return expectData(await create(server, input)).createCredential.credential.id;
}
const inside = async () => (await makeCredential(server, account)).id;

test.each([
  ['a revocation', revoke, inside],
  ['a rotation', rotate, inside],
  ['a revocation in an outside store', revoke, outside],
  ['a rotation in an outside store', rotate, outside],
])('R36: %s that is repeated is not answered before what it ended is on the disk', async (_, verb, make) => {
  const input = { id: await make(), idempotencyKey: unique('key') };
  const { reached, release } = holdLines();
  try {
    const answered: Answer[] = [];
    const send = async () => {
      const answer = await verb(server, input);
      answered.push(answer);
      return answer;
    };
    const first = send();
    await reached;
    const again = send();
    await sleep(500);
    expect(answered).toEqual([]);
    release();
    expect(expectData(await again)).toEqual(expectData(await first));
  } finally {
    release();
  }
});

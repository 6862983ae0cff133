import { makeStore, seqeraAt } from '../../stores/stores.js';
import { enrolAndConfirm, holdClock } from '../../support/authenticator.js';
import { expectData, makeAccount, makeCaller, makeCredential, unique } from '../../support/make.js';
import { startTestServer, type TestServer } from '../../support/server.js';
import { run } from '../../support/verbs.js';
import { startSeqera, type Seqera } from '../../upstreams/seqera.js';

// The second factor of those who create and rotate in an outside store.

let server: TestServer;
let seqera: Seqera;
let clock: ReturnType<typeof holdClock>;
beforeAll(async () => {
  seqera = await startSeqera();
  server = await startTestServer({ KEYWAY_OUTBOUND_LOCAL: 'true' });
  clock = holdClock(server);
});
afterAll(async () => {
  await server.stop();
  await seqera.stop();
});

const github = () => ({ providerKeys: { github: { username: 'bot', password: unique('password') } } });

test.each(['createCredential', 'rotateCredential'])(
  'S28: %s is asked of a store by nobody whose second factor is missing or wrong',
  async (mutation) => {
    const account = await makeAccount(server);
    const store = await makeStore(server, account, seqeraAt(seqera));
    const { id } = await makeCredential(server, account, { store, secret: github() });
    const permissions = ['CREDENTIAL_CREATE', 'CREDENTIAL_ROTATE', 'STORE_MANAGE'];
    const who = await makeCaller(server, permissions, { onAccount: account }, { mfaRequired: true });
    const app = await enrolAndConfirm(server, who.token);
    clock.move(10);
    const name = unique('made');
    const writes = () => seqera.calls.filter(({ method }) => method !== 'GET').length;
    const before = writes();
    const idempotencyKey = unique('key');
    const input =
      mutation === 'createCredential'
        ? { account, store, name, secret: github(), idempotencyKey }
        : { id, secret: github(), idempotencyKey };
    const ask = (mfaCode?: string) => run(server, mutation, { ...input, mfaCode }, { token: who.token });
    expect((await ask()).code).toBe('FORBIDDEN');
    expect((await ask('x')).code).toBe('FORBIDDEN');
    expect(writes()).toBe(before);
    const mfaCode = app.code();
    const done = expectData(await ask(mfaCode));
    expect(writes()).toBe(before + 1);
    expect(expectData(await ask(mfaCode))).toEqual(done);
    expect(writes()).toBe(before + 1);
    expect((await ask('x')).code).toBe('FORBIDDEN');
  },
);

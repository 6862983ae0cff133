import { setTimeout as sleep } from 'node:timers/promises';
import { expectData, makeAccount, makeCaller, makeCredential, unique } from '../../support/make.js';
import { sharedServer, type SharedServer } from '../../support/server.js';
import { askOfAll, askWhether } from './verifying.js';

// Names that nobody has, presented by one tenant, and a password of another's.

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

/** The token of one that may verify in an account, and is part of it. */
const verifierIn = async (account: string): Promise<string> =>
  (await makeCaller(server, ['CREDENTIAL_VERIFY'], { onAccount: account }, { parent: account })).token;

const unknown = () => ({ accessKey: unique('nobody'), proof: { secret: 'a password of nobody' } });

test('R22: a flood of user names that nobody has costs who sends it, and keeps no password of another tenant waiting', async () => {
  const parent = await makeAccount(server);
  const mine = await makeAccount(server);
  const theirs = await Promise.all(Array.from({ length: 6 }, () => verifierIn(parent)));
  const token = await verifierIn(mine);
  const password = { username: unique('somebody'), password: 'correct horse battery' };
  await makeCredential(server, mine, { secret: { password } });
  let over = 0;
  const flood = theirs.map(async (sender) => {
    const answer = await askOfAll(server, Array.from({ length: 100 }, unknown), { token: sender });
    over++;
    return answer.code;
  });
  await sleep(300);
  const input = { accessKey: password.username, proof: { secret: password.password } };
  for (let time = 0; time < 3; time++) {
    const answer = await askWhether(server, input, { token });
    expect(expectData(answer).verifyCredential.valid).toBe(true);
  }
  expect(over).toBeLessThan(flood.length);
  expect(await Promise.all(flood)).toContain('UNAVAILABLE');
});

test('R22: of one service, who guesses by the hundred keeps nobody waiting who comes from another address', async () => {
  const account = await makeAccount(server);
  const token = await verifierIn(account);
  const password = { username: unique('somebody'), password: 'correct horse battery' };
  await makeCredential(server, account, { secret: { password } });
  const guess = () => ({ ...unknown(), ip: '192.0.2.66' });
  let over = 0;
  const flood = Array.from({ length: 6 }, async () => {
    const answer = await askOfAll(server, Array.from({ length: 100 }, guess), { token });
    over++;
    return answer.code;
  });
  await sleep(300);
  const input = { accessKey: password.username, proof: { secret: password.password }, ip: '192.0.2.7' };
  for (let time = 0; time < 3; time++) {
    const answer = await askWhether(server, input, { token });
    expect(expectData(answer).verifyCredential.valid).toBe(true);
  }
  expect(over).toBeLessThan(flood.length);
  expect(await Promise.all(flood)).toContain('UNAVAILABLE');
});

/** @embedded what vendors answer */
// Gone is what a store says is gone: an answer that is none of its contract, or contradicts itself, says nothing of what
// is missing in it.
import { sharedServer, type SharedServer } from '../support/server.js';
import { outside } from './conformance.js';
import { connect } from './world.js';

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

const subAccounts = /\/sub-accounts\?/;
const users = /\/users\?/;
const credentials = /\/credentials\/?(\?|$)/;
const ended = { status: 'SUCCESS', resultList: [] };

const cases: [string, RegExp, unknown][] = [
  ['NAVER Cloud, Sub Account 1', subAccounts, []],
  ['NAVER Cloud, Sub Account 1', subAccounts, { items: [] }],
  ['NAVER Cloud, Sub Account 1', subAccounts, { errors: [] }],
  ['NAVER Cloud, Sub Account 1', subAccounts, { items: [], totalItems: 2, hasNext: false }],
  ['NAVER Cloud, Sub Account 1', /\/access-keys$/, { errors: [] }],
  ['NAVER Cloud, Sub Account 1', /\/access-keys$/, {}],
  ['NAVER Cloud, Sub Account 2', subAccounts, []],
  ['NAVER Cloud, Sub Account 2', subAccounts, { subAccounts: [] }],
  ['NAVER Cloud, Sub Account 2', subAccounts, { subAccounts: [], totalElements: 2, totalPages: 1 }],
  ['NAVER Cloud, Sub Account 2', /\/access-keys$/, []],
  ['NAVER Cloud, Sub Account 2', /\/access-keys$/, { errors: [] }],
  ['Veracode', users, []],
  ['Veracode', users, { page: {} }],
  ['Veracode', users, { _embedded: {} }],
  ['Veracode', users, { page: { number: 0, size: 50, total_elements: 2, total_pages: 1 } }],
  ['Veracode', users, { _embedded: { users: [] }, page: { total_elements: 2, total_pages: 0 } }],
  ['Veracode', /\/api_credentials\/user_id/, { message: 'later' }],
  ['Apinizer', credentials, []],
  ['Apinizer', credentials, { ...ended, resultCount: 1 }],
  ['Apinizer', credentials, { ...ended, resultList: [{}] }],
  ['Apinizer, older', credentials, { success: true, resultList: 'none' }],
  ['Seqera Platform', credentials, []],
  ['Seqera Platform', credentials, { credentials: [{}] }],
  ['Landscape', credentials, []],
  ['Landscape', credentials, { credentials: [{ title: 'an account without a name' }] }],
  ['Landscape', credentials, { credentials: [{ account_name: 'first', access_key: 'half-a-pair' }] }],
];

test.each(cases)('%s, asked for %s, does not tell that one is gone by %j', async (name, path, body) => {
  const found = outside.find((store) => store.name === name);
  if (!found) throw new Error('there is no such store');
  const world = await connect(server, found);
  try {
    const { id, externalId } = await world.takeIn();
    world.standIn.meet({ kind: 'fail', status: 200, body }, { method: 'GET', path }, 20);
    expect(await world.sync()).toMatchObject({
      gone: 0,
      error: expect.stringMatching(/PARTIAL|UNAVAILABLE/),
    });
    expect(await world.read(id)).toMatchObject({ status: 'ACTIVE', goneAt: null });
    world.standIn.clear();
    // What waits for the store is brought to its end first.
    await world.sync();
    world.takeAway(externalId);
    expect(await world.sync()).toMatchObject({ gone: 1, error: null });
    expect((await world.read(id)).status).toBe('GONE');
  } finally {
    await world.standIn.stop();
  }
});

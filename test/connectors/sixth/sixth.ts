import { at, expectGood, faultOfStatus, listAt, neededAt } from '../../../src/connectors/answers.js';
import type { Connector, Observed, StoreRequest, Upstream } from '../../../src/connectors/connector.js';
import { mintedPair } from '../../../src/connectors/signing.js';
import { sixthConnection } from './connection.js';

/** A vendor that nobody has heard of: keys that it makes, one for each name. */
export const sixth: Connector = {
  kind: 'SIXTH',
  connection: sixthConnection,
  rotation: { chosenBy: 'store', previous: 'dies' },
  kinds: ['ACCESS_KEY'],
  keeps: [],
  check: async (upstream) => void (await ask(upstream, { method: 'GET', path: ['keys'] })),
  list: async function* (upstream) {
    const { json } = await ask(upstream, { method: 'GET', path: ['keys'] });
    yield { entries: listAt(json, 'keys').map(observedIn), next: null };
  },
  find: async (upstream, { externalId }) => {
    const { json } = await ask(upstream, { method: 'GET', path: ['keys'] });
    return listAt(json, 'keys')
      .map(observedIn)
      .find((one) => one.externalId === externalId);
  },
  present: async (upstream) => {
    const { json } = await ask(upstream, { method: 'GET', path: ['keys'] });
    return listAt(json, 'keys').map((one) => neededAt(one, 'key'));
  },
  rotate: async (upstream, { externalId }) => {
    const { json } = await ask(upstream, { method: 'POST', path: ['keys', externalId] });
    return mintedPair(neededAt(json, 'key'), neededAt(json, 'secret'));
  },
};

async function ask(upstream: Upstream, request: StoreRequest) {
  const token = upstream.secrets['token']?.expose() ?? '';
  const answer = await upstream.call({ ...request, sign: () => ({ 'x-sixth-token': token }) });
  expectGood(answer, ({ status }) => faultOfStatus(status));
  return answer;
}

const observedIn = (json: unknown): Observed => ({
  externalId: neededAt(json, 'name'),
  scope: '',
  kind: 'ACCESS_KEY',
  name: neededAt(json, 'name'),
  accessKey: neededAt(json, 'key'),
  enabled: at(json, 'off') !== true,
});

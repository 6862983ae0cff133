import 'reflect-metadata';
import { apinizer } from '../../src/connectors/apinizer/apinizer.js';
import type { Connector, Upstream } from '../../src/connectors/connector.js';
import { seqera } from '../../src/connectors/seqera/seqera.js';
import { Secret } from '../../src/secret.js';
import { startApinizer } from '../upstreams/apinizer.js';
import { apinizerApi, faultsOfCalls, seqeraApi } from '../upstreams/openapi.js';
import { startSeqera } from '../upstreams/seqera.js';
import type { StandIn } from '../upstreams/stand-in.js';
import * as make from './make.js';
import { openUpstream } from './upstream.js';

// What is sent to a vendor that publishes an API file holds to that file: each verb's requests, in a life from the making
// of a credential to its end.

let standIn: StandIn;
afterEach(() => standIn.stop());

test('Seqera: every request holds to the published API file', async () => {
  const store = await startSeqera({ workspaces: ['4242'] });
  standIn = store;
  const upstream = openUpstream({
    addresses: { endpoint: store.url },
    settings: { workspaces: ['4242'] },
    secrets: { token: store.token },
  });
  const connector = seqera as Required<Connector>;
  const keys = { userName: 'ci-bot', password: 'made-up', registry: 'images.example.com' };
  const wish = { kind: 'PROVIDER_KEYS', provider: 'CONTAINER_REG', keys: make.keysOf(keys) } as const;
  await connector.check(upstream);
  const wanted = make.wanted({ name: 'ci-images', scope: '4242', wish, description: 'text' });
  await connector.present(upstream, { scope: '4242', wish, name: 'ci-images' });
  const { externalId, scope, minted } = await connector.create(upstream, wanted);
  const known = make.known({ externalId, scope, kind: 'PROVIDER_KEYS', provider: 'CONTAINER_REG' });
  await make.listed(connector, upstream);
  await connector.find(upstream, known);
  const { revision = null } = await connector.rotate(upstream, known, wish, minted);
  await connector.update(upstream, { ...known, revision }, make.described({ name: 'ci-images-2' }), minted);
  await connector.delete(upstream, known);
  expect(store.calls.length).toBeGreaterThan(7);
  expect(faultsOfCalls(seqeraApi(), store.calls)).toEqual([]);
});

test('Apinizer: every request holds to the published API file', async () => {
  const store = await startApinizer({ generation: 'current' });
  standIn = store;
  const upstream: Upstream = openUpstream({
    addresses: { endpoint: store.url },
    settings: { projects: ['Orders'] },
    secrets: { token: store.token },
  });
  const connector = apinizer as Required<Connector>;
  const password = Secret.of('chosen-password');
  const wish = { kind: 'PASSWORD', accessKey: 'orders-bot', password } as const;
  const person = { email: 'bot@example.com', fullName: 'Orders Bot' };
  await connector.check(upstream);
  await connector.present(upstream, { scope: 'Orders', wish, name: 'orders-bot' });
  await connector.create(upstream, make.wanted({ scope: 'Orders', wish, ...person }));
  const known = make.known({
    externalId: 'orders-bot',
    scope: 'Orders',
    kind: 'PASSWORD',
    accessKey: 'orders-bot',
  });
  await make.listed(connector, upstream);
  await connector.find(upstream, known);
  await connector.rotate(upstream, known, wish, null);
  const described = make.described({ ...person, enabled: false, allowedIps: ['203.0.113.0/24'] });
  await connector.update(upstream, known, described, make.heldPassword('chosen-password'));
  await connector.revoke(upstream, known);
  const sent = store.calls.filter(({ path }) => path !== '/apiops/projects/');
  expect(sent.length).toBeGreaterThan(6);
  expect(faultsOfCalls(apinizerApi(), sent)).toEqual([]);
});

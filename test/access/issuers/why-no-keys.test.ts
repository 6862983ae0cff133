/**
 * @slow 10 s
 */
import { writeFileSync } from 'node:fs';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Finding } from '../../../src/start/doctor/finding.js';
import { selfSigned } from '../../support/certificate.js';
import { makeSigner, startIssuer, trusting } from '../../support/issuer.js';
import { emptyPlace, runKeyway } from '../../support/process.js';

test('doctor tells why each issuer gives no keys, what to do about it, and nothing of what it answers', async () => {
  const place = await emptyPlace();
  const [good, answering, silent, gone] = await Promise.all(
    Array.from({ length: 4 }, async () => startIssuer(await makeSigner())),
  );
  if (!good || !answering || !silent || !gone) throw new Error('four were started');
  await gone.pause();
  silent.answer = () => undefined;
  answering.answer = ({ url }, response) => {
    if (url?.startsWith('/text')) response.end('hunter2');
    else if (url?.startsWith('/none')) response.end('{"hunter2":[]}');
    else if (url?.startsWith('/off')) response.socket?.destroy();
    else if (url?.startsWith('/other'))
      response.end(JSON.stringify({ issuer: 'https://hunter2.example.com', jwks_uri: answering.jwks }));
    else response.writeHead(503).end('hunter2');
  };
  const at = (name: string) => join(place.folder, name);
  const { key, cert } = selfSigned('localhost');
  writeFileSync(at('ca.crt'), cert);
  writeFileSync(at('none.crt'), 'hunter2');
  const https = createHttps({ key, cert }, (_, response) => void response.end('{"keys":[]}'));
  await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve));
  const { port } = https.address() as AddressInfo;
  const by = { certificateAuthorityFile: at('ca.crt') };
  const table: [string, object, RegExp | undefined][] = [
    ['urn:good', { jwks: good.jwks }, undefined],
    ['urn:gone', { jwks: gone.jwks }, /no connection.*machine reaches it/],
    ['urn:silent', { jwks: silent.jwks }, /does not answer in time/],
    ['urn:off', { jwks: `${answering.address}/off` }, /breaks off its answer/],
    ['urn:refusing', { jwks: answering.jwks }, /the issuer answers with 503/],
    ['urn:text', { jwks: `${answering.address}/text` }, /no key set in JSON/],
    ['urn:none', { jwks: `${answering.address}/none` }, /without a list of keys/],
    [`${answering.address}/other`, {}, /of another issuer/],
    ['urn:private', { jwks: 'https://10.1.2.3/keys' }, /may call.*KEYWAY_OUTBOUND_RANGES/],
    ['urn:authority', { jwks: `https://localhost:${port}/` }, /authority.*certificateAuthorityFile/],
    ['urn:name', { jwks: `https://127.0.0.1:${port}/`, ...by }, /for another name/],
    ['urn:trusted', { jwks: `https://localhost:${port}/`, ...by }, undefined],
    [
      'urn:no-authority',
      { jwks: good.jwks, certificateAuthorityFile: at('none.crt') },
      /no certificate in PEM/,
    ],
    ['urn:no-file', { jwksFile: at('missing.json') }, /cannot be read \(ENOENT\).*file is there/],
  ];
  try {
    const issuers = table.map(([issuer, more]) => ({ issuer, audience: 'keyway', ...more }));
    const { output } = await runKeyway(['doctor', '--json'], {
      ...place.environment,
      ...trusting(...issuers),
    });
    const all = JSON.parse(output.slice(output.indexOf('['))) as Finding[];
    const told = all.filter(({ check }) => check === 'issuers');
    expect(told).toHaveLength(table.length);
    for (const [name, , expected] of table) {
      const found = told.find((one) => one.found.startsWith(`${name} `));
      expect({ name, state: found?.state }).toEqual({ name, state: expected ? 'wrong' : 'ok' });
      if (expected) expect(`${found?.found} ${found?.advice}`).toMatch(expected);
    }
    expect(output).not.toContain('hunter2');
  } finally {
    https.close();
    https.closeAllConnections();
    await Promise.all([good, answering, silent].map((issuer) => issuer.stop()));
    await place.drop();
  }
});

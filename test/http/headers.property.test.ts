import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { refusalOfHead } from '../../src/http/head.js';
import { mediaTypeFor } from '../../src/http/media-type.js';
import { expectAlways } from '../support/property.js';

const types = ['application/json', 'application/graphql-response+json'] as const;
const range = fc.record({
  name: fc.constantFrom(...types, 'application/*', '*/*', 'text/html', 'APPLICATION/JSON', 'image/*'),
  q: fc.option(fc.nat(1_000), { nil: undefined }),
  before: fc.boolean(),
});

test('an answer has the media type that weighs most for its client, by the range that fits it most closely', () =>
  expectAlways(
    fc.property(
      fc.uniqueArray(range, { minLength: 1, maxLength: 5, selector: ({ name }) => name.toLowerCase() }),
      (ranges) => {
        const accept = ranges.map(
          ({ name, q, before }) =>
            `${name}${before ? '; charset=utf-8' : ''}${q === undefined ? '' : `;q=${(q / 1_000).toFixed(3)}`}`,
        );
        const weights = types.map((type) => {
          const fitting = [type, 'application/*', '*/*'].map((name) =>
            ranges.find((one) => one.name.toLowerCase() === name),
          );
          const closest = fitting.find((one) => one !== undefined);
          return closest ? (closest.q ?? 1_000) : 0;
        });
        const answer = mediaTypeFor(accept.join(' , '));
        if (Math.max(...weights) === 0) expect(answer).toBeUndefined();
        else expect(answer && weights[types.indexOf(answer)]).toBe(Math.max(...weights));
      },
    ),
    500,
  ));

test('no header Accept makes it fail, and none brings about a type that is not offered', () =>
  expectAlways(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'*/;=q01.,ajson ') })),
      (accept) => {
        expect([undefined, ...types]).toContain(mediaTypeFor(accept));
      },
    ),
    500,
  ));

const head = (headers: Record<string, string>, url = '/') =>
  refusalOfHead({
    url,
    headers: { host: 'h', ...headers },
    httpVersion: '1.1',
  } as unknown as IncomingMessage);

test('S1: a body is refused by its header exactly where it says to be in another encoding than UTF-8', () => {
  const charset = fc.constantFrom(
    'utf-8',
    'UTF-8',
    'utf8',
    'Utf8',
    'utf-16',
    'latin1',
    'utf-7',
    '',
    'utf-8x',
    'x-utf-8',
  );
  const blank = fc.constantFrom('', ' ', '\t', '  ');
  expectAlways(
    fc.property(
      charset,
      fc.boolean(),
      blank,
      blank,
      fc.constantFrom('charset', 'Charset', 'CHARSET'),
      (name, quoted, one, other, word) => {
        const type = `application/json;${one}${word}${other}=${one}${quoted ? `"${name}"` : name}`;
        expect(head({ 'content-type': type })?.status).toBe(/^utf-?8$/i.test(name) ? undefined : 415);
        expect(head({ 'content-type': `${type}; charset=latin1` })?.status).toBe(415);
      },
    ),
    500,
  );
});

test('an address is taken exactly where its bytes are one text in UTF-8', () =>
  expectAlways(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), (bytes) => {
      const encoded = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
      const isText = Buffer.compare(Buffer.from(Buffer.from(bytes).toString()), bytes) === 0;
      expect(head({}, `/graphql?query=${encoded}`)?.status).toBe(isText ? undefined : 400);
      expect(head({}, `/graphql?query=${encoded}%`)?.status).toBe(400);
      expect(head({}, `/${Buffer.from(bytes).toString('latin1')}\u00e9`)?.status).toBe(400);
    }),
    500,
  ));

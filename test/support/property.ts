import fc from 'fast-check';

/** Large enough for most mistakes, and done in a moment. */
const usualRuns = 200;

/**
 * Holds a property to many values: the same ones each time, so that a suite that passes passes again. What fails prints its
 * seed and the smallest values that it found. `PROPERTY_SEED=7 PROPERTY_RUNS=20000 npm test -- test/time.test.ts` looks
 * at others, and at more.
 * @param runs how many values it is held to, where PROPERTY_RUNS says nothing else
 */
export function expectAlways<Values>(property: fc.IAsyncProperty<Values>, runs?: number): Promise<void>;
export function expectAlways<Values>(property: fc.IProperty<Values>, runs?: number): void;
export function expectAlways<Values>(
  property: fc.IRawProperty<Values>,
  runs = usualRuns,
): Promise<void> | void {
  return fc.assert(property, {
    seed: Number(process.env['PROPERTY_SEED'] ?? 20_260_101),
    numRuns: Number(process.env['PROPERTY_RUNS'] ?? runs),
  });
}

/** The bytes, with one of their bits turned. */
export function withBitTurned(bytes: Uint8Array, bit: number): Buffer {
  const turned = Buffer.from(bytes);
  const at = Math.floor(bit / 8) % turned.length;
  turned.writeUInt8(turned.readUInt8(at) ^ (1 << (bit % 8)), at);
  return turned;
}

/** A text with anything in it that readers and writers stumble over; no half of a character. */
export const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }).filter((text) => !/\p{Cs}/u.test(text)),
  fc.string({
    unit: fc.constantFrom(...'\0\t\n\r\u001b\u0085\u202e\u2028\ufeff"\\\'`$%_/:;,=&#@ aA0é\u0301'),
  }),
);

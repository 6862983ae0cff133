import { sealRecord, type KekProvider, type RecordPlace } from '../../src/keyring/envelope.js';

/**
 * Seals so often, and counts what was never there before of data keys, of the nonces that wrap them and of the nonces
 * of contents.
 * @param idEnd where in a record the id of its KEK ends
 */
export async function sealOften(kek: KekProvider, place: RecordPlace, idEnd: number, rounds: number) {
  const deks = new Prefixes(rounds);
  const wrapNonces = new Prefixes(rounds);
  const nonces = new Prefixes(rounds);
  const counting: KekProvider = {
    ...kek,
    wrap: (id, dek, aad) => (deks.add(Buffer.from(dek.buffer, dek.byteOffset), 0), kek.wrap(id, dek, aad)),
  };
  const plain = Buffer.of(42);
  for (let round = 0; round < rounds; round++) {
    const { sealed } = await sealRecord(counting, plain, place);
    wrapNonces.add(sealed, idEnd);
    nonces.add(sealed, idEnd + 92);
  }
  return { deks: deks.size, wrapNonces: wrapNonces.size, nonces: nonces.size };
}

/** Remembers the first 64 bits of what it is shown, in 16 bytes a piece; random ones collide once in 30 million runs. */
class Prefixes {
  readonly #slots: BigUint64Array;
  size = 0;

  constructor(capacity: number) {
    this.#slots = new BigUint64Array(2 ** Math.ceil(Math.log2(capacity * 1.5)));
  }

  add(bytes: Buffer, at: number): void {
    // Zero marks a free slot, so a prefix of zeros stands as one.
    const prefix = bytes.readBigUInt64BE(at) || 1n;
    const mask = this.#slots.length - 1;
    let slot = bytes.readUInt32BE(at + 4) & mask;
    while (this.#slots[slot] !== 0n) {
      if (this.#slots[slot] === prefix) return;
      slot = (slot + 1) & mask;
    }
    this.#slots[slot] = prefix;
    this.size++;
  }
}

import { Secret } from '../secret.js';

/** What an effect leaves to answer with: plain JSON, and secrets at any depth. */
export type Answer = Record<string, unknown>;

/** An answer with its secrets as one text, for sealing alone. To be wiped after use. */
export const packAnswer = (answer: Answer): Secret => Secret.of(JSON.stringify([answer], marked));

/** The answer that was packed, its secrets as secrets again. */
export function unpackAnswer(packed: Secret): Answer {
  const text = packed.expose();
  if (!text.startsWith('[')) return withSecrets(JSON.parse(text) as Earlier);
  const [answer] = JSON.parse(text, unmarked) as [Answer];
  return answer;
}

// Each array begins with what it stands for, so that no data, whatever it is, reads like a secret.
const asArray = 0;
const asSecret = 1;

/** `value` is what a secret prints as: the secret itself is in what holds it. */
function marked(this: Record<string, unknown>, name: string, value: unknown): unknown {
  const held = this[name];
  if (held instanceof Secret) return [asSecret, held.expose()];
  return Array.isArray(value) ? [asArray, ...(value as unknown[])] : value;
}

function unmarked(_: string, value: unknown): unknown {
  if (!Array.isArray(value)) return value;
  const [mark, ...items] = value as unknown[];
  return mark === asSecret ? Secret.of(String(items[0])) : items;
}

/** An answer as it was packed before: an object, whose only secrets were in `issued`. Such are kept for 24 hours. */
type Earlier = Answer & {
  issued?: { secret: string | null; keys: { name: string; value: string }[] | null };
};

function withSecrets({ issued, ...rest }: Earlier): Answer {
  if (!issued) return rest;
  const secret = issued.secret === null ? null : Secret.of(issued.secret);
  const keys = issued.keys?.map(({ name, value }) => ({ name, value: Secret.of(value) })) ?? null;
  return { ...rest, issued: { ...issued, secret, keys } };
}

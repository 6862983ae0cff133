import { useRef } from 'react';

/** A key by which a change that is sent again is not done again. `crypto.randomUUID` is not there on a page that came by plain HTTP. */
export const newIdempotencyKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** @returns the key of an input: the same for as long as the same is sent, so that what was done already is not done twice. */
export function useIdempotencyKey(): (input: unknown) => string {
  const last = useRef({ text: '', key: '' });
  return (input) => {
    const text = JSON.stringify(input);
    if (last.current.text !== text) last.current = { text, key: newIdempotencyKey() };
    return last.current.key;
  };
}

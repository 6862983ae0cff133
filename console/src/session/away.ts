/** What is kept while the person is at the issuer: none of it is of use without the code that comes back. */
export interface Away {
  issuer: string;
  verifier: string;
  state: string;
  nonce: string;
  /** The view to come back to, below the root of the console. */
  path: string;
}

const place = 'keyway-away';

/** The root of the console: where the issuer sends people back to, which it has to know. */
export const home = (): string => new URL('./', document.baseURI).href;

/** The view that is open, below that. */
export const viewHere = (): string => location.href.slice(home().length);

export const remember = (away: Away): void => sessionStorage.setItem(place, JSON.stringify(away));

/**
 * Takes up what came back from an issuer: once, and out of the address, where the code would stay.
 * @returns the address it came with, and what was kept, unless nobody left from this tab; undefined where nobody comes back.
 */
export function takeUp(): { address: URL; away: Away | undefined } | undefined {
  const address = new URL(location.href);
  const { searchParams: said } = address;
  if (!said.has('state') || !(said.has('code') || said.has('error'))) return undefined;
  const away = awayIn(sessionStorage.getItem(place));
  sessionStorage.removeItem(place);
  const view = new URL(away?.path ?? '', home());
  history.replaceState(null, '', view.href.startsWith(home()) ? view : home());
  return { address, away };
}

/** What was kept, as far as it is what this keeps: another page of the same address may have written there. */
function awayIn(text: string | null): Away | undefined {
  try {
    const kept = JSON.parse(text ?? 'null') as Partial<Away> | null;
    const { issuer, verifier, state, nonce, path } = kept ?? {};
    const all = [issuer, verifier, state, nonce, path];
    return all.every((each) => typeof each === 'string') ? (kept as Away) : undefined;
  } catch {
    return undefined;
  }
}

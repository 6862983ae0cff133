/** How people of an issuer sign in, as Keyway tells the page. */
export interface SignInAt {
  issuer: string;
  clientId: string;
  name: string;
  scope: string;
  parameters: Record<string, string>;
  /** Which of the two tokens calls Keyway. */
  token: 'access' | 'id';
}

/** @returns the issuers at which people can sign in. */
export function signIns(): readonly SignInAt[] {
  const told = document.querySelector('meta[name="keyway-sign-in"]')?.getAttribute('content');
  return JSON.parse(told ?? '[]') as SignInAt[];
}

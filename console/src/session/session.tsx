import { createContext, use, useCallback, useMemo, useState, type ReactNode } from 'react';
import { Provider } from 'urql';
import { clientFor } from '../graph/client.ts';
import type { Permission, ViewerQuery } from '../graph/documents.ts';
import { texts } from '../texts.ts';
import { SignIn } from './sign-in.tsx';

interface Session {
  viewer: ViewerQuery['viewer'];
  /** What it may do somewhere: anything else is not offered. */
  may: ReadonlySet<Permission>;
  signOut: () => void;
}

const Current = createContext<Session | undefined>(undefined);

/** @returns who is signed in. @throws outside of a `WithSession`. */
export function useSession(): Session {
  const session = use(Current);
  if (!session) throw new Error('there is no session here');
  return session;
}

/**
 * Shows `children` to whoever is signed in, and otherwise asks for a token. The token lives in the memory of this page alone:
 * nothing writes it where another page or a later one could read it.
 */
export function WithSession({ children }: { children: ReactNode }) {
  const [signedIn, setSignedIn] = useState<{ token: string; known: ViewerQuery }>();
  const [notice, setNotice] = useState<string>();
  const end = useCallback((why?: string) => {
    setSignedIn(undefined);
    setNotice(why);
  }, []);
  const token = signedIn?.token;
  const client = useMemo(
    () => (token === undefined ? undefined : clientFor(token, () => end(texts.signIn.ended))),
    [token, end],
  );
  const session = useMemo(
    () =>
      signedIn && {
        viewer: signedIn.known.viewer,
        may: new Set(signedIn.known.viewerMay),
        signOut: () => end(),
      },
    [signedIn, end],
  );
  if (!client || !session)
    return <SignIn notice={notice} signedIn={(token, known) => setSignedIn({ token, known })} />;
  return (
    <Current value={session}>
      <Provider value={client}>{children}</Provider>
    </Current>
  );
}

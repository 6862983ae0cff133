import { createContext, use, useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { Provider } from 'urql';
import { askWho, clientFor, codeOf } from '../graph/client.ts';
import type { Permission, ViewerQuery } from '../graph/documents.ts';
import { texts } from '../texts.ts';
import { takeUp } from './away.ts';
import { SignIn } from './sign-in.tsx';

interface Session {
  viewer: ViewerQuery['viewer'];
  /** What it may do somewhere: anything else is not offered. */
  may: ReadonlySet<Permission>;
  signOut: () => void;
}

interface SignedIn {
  token: string;
  known: ViewerQuery;
  /** Where the issuer is asked to end its own session. */
  signOutAt?: string | undefined;
}

/** What the page was opened with by an issuer: a code counts once. */
const back = takeUp();

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
  const [signedIn, setSignedIn] = useState<SignedIn>();
  const [notice, setNotice] = useState<string>();
  const came = useRef(back);
  const [isBack, setBack] = useState(back !== undefined);
  useEffect(() => {
    if (!came.current) return;
    const { address, away } = came.current;
    came.current = undefined;
    void import('./openid.ts')
      .then(({ redeem }) => redeem(address, away))
      .then(async ({ token, signOutAt }) => {
        const { data, error } = await askWho(token);
        if (data) setSignedIn({ token, known: data, signOutAt });
        else
          setNotice(
            error && codeOf(error) === 'UNAUTHENTICATED' ? texts.signIn.unknown : texts.problems.network,
          );
      })
      .catch(() => setNotice(texts.signIn.failed))
      .finally(() => setBack(false));
  }, []);
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
        signOut: () => {
          end();
          if (signedIn.signOutAt !== undefined) location.assign(signedIn.signOutAt);
        },
      },
    [signedIn, end],
  );
  if (isBack) return <p role="status">{texts.signIn.checking}</p>;
  if (!client || !session)
    return <SignIn notice={notice} signedIn={(token, known) => setSignedIn({ token, known })} />;
  return (
    <Current value={session}>
      <Provider value={client}>{children}</Provider>
    </Current>
  );
}

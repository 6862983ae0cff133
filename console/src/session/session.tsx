import { createContext, use, useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { Provider } from 'urql';
import { forgetChanges } from '../graph/changes.ts';
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
  /** The token that Keyway has refused: what was asked with one before it says nothing of the present one. */
  const [ended, setEnded] = useState<string>();
  const came = useRef(back);
  const [isBack, setBack] = useState(back !== undefined);
  useEffect(() => {
    if (!came.current) return;
    const { address, away } = came.current;
    came.current = undefined;
    if (!away) {
      setNotice(texts.signIn.failed);
      setBack(false);
      return;
    }
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
  const token = signedIn?.token;
  const client = useMemo(
    () => (token === undefined ? undefined : clientFor(token, () => setEnded(token))),
    [token],
  );
  const session = useMemo(
    () =>
      signedIn && {
        viewer: signedIn.known.viewer,
        may: new Set(signedIn.known.viewerMay),
        signOut: () => {
          forgetChanges();
          setSignedIn(undefined);
          if (signedIn.signOutAt !== undefined) location.assign(signedIn.signOutAt);
        },
      },
    [signedIn],
  );
  const enter = (token: string, known: ViewerQuery) => {
    if (known.viewer.id !== signedIn?.known.viewer.id) forgetChanges();
    setNotice(undefined);
    setEnded(undefined);
    setSignedIn({ token, known });
  };
  if (isBack) return <p role="status">{texts.signIn.checking}</p>;
  if (!client || !session) return <SignIn notice={notice} signedIn={enter} />;
  // Whose token has ended finds again what was open, such as a secret that is shown once; somebody else does not.
  const isEnded = ended === token;
  return (
    <Current value={session} key={session.viewer.id}>
      <Provider value={client}>
        <div inert={isEnded}>{children}</div>
        {isEnded && (
          <div className="signed-out">
            <SignIn notice={texts.signIn.ended} signedIn={enter} />
          </div>
        )}
      </Provider>
    </Current>
  );
}

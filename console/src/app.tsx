import { lazy, Suspense, useEffect, useState } from 'react';
import { Button, RouterProvider } from 'react-aria-components';
import { Link, Route, Router, Switch, useLocation } from 'wouter';
import { Audit } from './audit/audit.tsx';
import { WithBulkRun } from './credentials/bulk-run.tsx';
import { CredentialPage } from './credentials/credential-page.tsx';
import { Inventory } from './credentials/inventory.tsx';
import { Choice } from './parts/choice.tsx';
import { Failure } from './parts/failure.tsx';
import { keptAs } from './parts/kept.ts';
import { Mark } from './parts/mark.tsx';
import { NotFound } from './parts/not-found.tsx';
import { Overview } from './overview/overview.tsx';
import { useSession, WithSession } from './session/session.tsx';
import { Stores } from './stores/stores.tsx';
import { texts } from './texts.ts';

const CreatePage = lazy(() => import('./credentials/create-page.tsx'));
const Access = lazy(() => import('./access/access.tsx'));
const PlacePage = lazy(() => import('./access/place-page.tsx'));
const ConnectPage = lazy(() => import('./stores/connect-page.tsx'));

/** The path that the page lies below, without the last slash. */
const base = new URL(document.baseURI).pathname.replace(/\/$/, '');

/** The console: whoever is signed in finds its views. The address says which, and with which filters. */
export function App() {
  return (
    <Router base={base}>
      <WithSession>
        <WithBulkRun>
          <Shell />
        </WithBulkRun>
      </WithSession>
    </Router>
  );
}

const views = {
  overview: '/',
  credentials: '/credentials',
  stores: '/stores',
  access: '/access',
  audit: '/audit',
} as const;

const isAt = (path: string, href: string) => path === href || (href !== '/' && path.startsWith(href));

function Shell() {
  const { viewer, signOut } = useSession();
  const [path, navigate] = useLocation();
  return (
    <RouterProvider navigate={navigate}>
      <a
        className="skip"
        href={`${base}${path}#content`}
        onClick={(event) => {
          event.preventDefault();
          document.querySelector<HTMLElement>('#content h1')?.focus();
        }}
      >
        {texts.skip}
      </a>
      <header className="top">
        <span className="brand">
          <Mark /> {texts.product}
        </span>
        <nav aria-label={texts.navigation}>
          {Object.entries(views).map(([view, href]) => (
            <Link key={view} href={href} aria-current={isAt(path, href) ? 'page' : undefined}>
              {texts.views[view as keyof typeof views]}
            </Link>
          ))}
          <a href={`${base}/explore`}>{texts.explorer}</a>
        </nav>
        <Theme />
        <span className="who">{texts.signedInAs(viewer.title)}</span>
        <Button onPress={signOut}>{texts.signOut}</Button>
      </header>
      <main id="content">
        <Failure key={path}>
          <Suspense fallback={<p role="status">{texts.loading}</p>}>
            <Switch>
              <Route path="/">
                <Overview />
              </Route>
              <Route path="/credentials">
                <Inventory />
              </Route>
              <Route path="/credentials/new">
                <CreatePage />
              </Route>
              <Route path="/credentials/:id">{({ id }) => <CredentialPage key={id} id={id} />}</Route>
              <Route path="/stores">
                <Stores />
              </Route>
              <Route path="/stores/new">
                <ConnectPage />
              </Route>
              <Route path="/access">
                <Access />
              </Route>
              <Route path="/access/:id">{({ id }) => <PlacePage key={id} id={id} />}</Route>
              <Route path="/audit">
                <Audit />
              </Route>
              <Route>
                <NotFound />
              </Route>
            </Switch>
          </Suspense>
        </Failure>
      </main>
    </RouterProvider>
  );
}

const kept = keptAs('keyway-theme');
const { label, ...themes } = texts.theme;

function Theme() {
  const [theme, setTheme] = useState(() => {
    const name = kept.read() ?? 'auto';
    return Object.hasOwn(themes, name) ? name : 'auto';
  });
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    kept.write(theme);
  }, [theme]);
  return <Choice label={label} choices={themes} value={theme} choose={setTheme} />;
}

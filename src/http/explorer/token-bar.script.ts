import { carrying } from './carrying.script.js';
import { nameOf, type Example } from './examples.js';

/**
 * Holds the token for this tab, sends it with every request to Keyway's graph and with no other, carries values from one
 * example to the next, and opens each example again.
 */
export function script(examples: readonly Example[]): string {
  const listed = examples.map((example) => ({
    name: nameOf(example),
    query: example.query,
    variables: example.variables ?? '',
  }));
  const demo = !listed.some(({ variables }) => variables.includes('"storeAddress": "https://…"'));
  // Within a script of a page, where no text may look like its end.
  const literal = JSON.stringify(listed).replaceAll('<', '\\u003c');
  return `(() => {\nconst examples = ${literal};\nconst demo = ${demo};\n${carrying}${bar}})();\n`;
}

const bar = String.raw`
  const stored = 'keyway:token';
  const endpoint = new URL('graphql', location.href).href;
  const bar = document.getElementById('keyway-bar');
  const field = document.getElementById('keyway-token');
  const hint = document.getElementById('keyway-hint');
  const tabs = document.getElementById('keyway-tabs');
  const carried = carrier(sessionStorage, demo);
  const where = 'The first start wrote the administrator’s to admin-token in Keyway’s data directory.';
  const hints = {
    none: 'Paste a token to begin. ' + where,
    malformed: 'This is no token: it holds a space or a letter that tokens do not have.',
    asking: 'Asking Keyway …',
    good: 'Accepted. It stays in this tab and ends with it.',
    refused: 'Keyway does not take this token, or no longer. Paste another. ' + where,
    silent: 'Keyway does not answer just now.',
  };

  // What is typed must not stand in the address, where logs and histories keep it, and a link must not fill the editor.
  if (location.search) history.replaceState(null, '', location.pathname);
  history.replaceState = () => {};
  // Variables can hold secrets: what GraphiQL remembers ends with the tab, as the token does.
  Object.defineProperty(window, 'localStorage', { value: sessionStorage });

  // GraphiQL opens the tab that holds the query it saved last, and saves none before the first change of one.
  const saved = JSON.parse(sessionStorage.getItem('graphiql:tabState'));
  if (saved) {
    const { query, variables } = saved.tabs[saved.activeTabIndex];
    sessionStorage.setItem('graphiql:query', query ?? '');
    sessionStorage.setItem('graphiql:variables', variables ?? '');
  }

  const send = window.fetch.bind(window);
  window.fetch = async (resource, options) => {
    const request = new Request(resource, options);
    if (request.url !== endpoint) return send(request);
    const token = sessionStorage.getItem(stored);
    if (!token) return unasked();
    const asked = await request.clone().json();
    const { variables, filled, problems } = carried.fill(asked.variables);
    if (problems.length > 0) return unsent(problems);
    const headers = new Headers(request.headers);
    headers.set('authorization', 'Bearer ' + token);
    try {
      const body = JSON.stringify({ ...asked, variables });
      const response = await send(new Request(request, { headers, body }));
      show(response.status === 401 ? 'refused' : response.status < 500 ? 'good' : 'silent');
      if (response.ok) await keep(asked, response.clone());
      if (response.ok && filled.length > 0) hint.textContent = 'Filled in from answers before: ' + filled.join(', ');
      return response;
    } catch (error) {
      if (error.name !== 'AbortError') show('silent');
      throw error;
    }
  };

  async function keep({ operationName, query }, response) {
    const operation = operationName ?? /(?:query|mutation)\s+(\w+)/.exec(query)?.[1];
    const { data } = await response.json().catch(() => ({}));
    carried.keep(operation, data);
  }

  // What would be sent is known to be wrong.
  function unsent(problems) {
    const errors = problems.map((message) => ({ message: 'Not sent: ' + message, extensions: { code: 'BAD_USER_INPUT' } }));
    return Response.json({ errors });
  }

  // Without a token the answer is known; asking would only put one more refusal on record.
  function unasked() {
    show('none');
    const errors = [{ message: 'Paste a token above, then run this again.', extensions: { code: 'UNAUTHENTICATED' } }];
    return Response.json({ errors }, { status: 401 });
  }

  function take() {
    const token = field.value.trim();
    if (token === (sessionStorage.getItem(stored) ?? '')) return;
    if (token === '') return clear();
    if (!/^[\x21-\x7e]+$/.test(token)) return show('malformed');
    sessionStorage.setItem(stored, token);
    // GraphiQL asks for the graph as it starts, and shows no refusal of before.
    location.reload();
  }

  // The answers on the page are the token's too: they go with it.
  function clear() {
    sessionStorage.removeItem(stored);
    carried.forget();
    field.value = '';
    location.reload();
  }

  function show(state) {
    bar.dataset.state = state;
    hint.textContent = hints[state];
  }

  // The strip of tabs shows a third of them. This lists all examples, and the tabs that hold something else by now.
  function listTabs() {
    const own = openTabs().filter(({ query }) => !examples.some((example) => example.query === query));
    const yours = document.createElement('optgroup');
    yours.label = 'Your tabs';
    yours.append(...own.map(({ button }) => new Option(button.textContent, button.id)));
    const all = document.createElement('optgroup');
    all.label = 'Examples';
    all.append(...examples.map(({ name }) => new Option(name, name)));
    tabs.replaceChildren(tabs.options[0], all, ...(own.length > 0 ? [yours] : []));
  }

  /** GraphiQL saves what tabs hold once one has changed; until then they are the examples. */
  function openTabs() {
    const held = JSON.parse(sessionStorage.getItem('graphiql:tabState'))?.tabs ?? examples;
    return [...document.querySelectorAll('.graphiql-tab-button')].map((button, at) => ({
      button,
      query: held[at]?.query,
    }));
  }

  /** Goes to the tab that holds the example as it was, or opens it in a new one; what was edited stays beside it. */
  function goToTab() {
    const chosen = tabs.value;
    tabs.selectedIndex = 0;
    const example = examples.find(({ name }) => name === chosen);
    const open = openTabs().find(({ button, query }) => (example ? query === example.query : button.id === chosen));
    if (open) goTo(open.button);
    else if (example) openAgain(example);
  }

  function goTo(button) {
    button.click();
    button.scrollIntoView({ block: 'nearest', inline: 'center' });
  }

  // GraphiQL takes a tab from nobody but what it saved: the example goes there, and is open after a reload. GraphiQL
  // saves half a second after the last change.
  function openAgain({ name, query, variables }) {
    setTimeout(() => {
      const state = JSON.parse(sessionStorage.getItem('graphiql:tabState'));
      const nothing = { hash: null, headers: null, response: null };
      state.activeTabIndex = state.tabs.length;
      state.tabs.push({ ...nothing, id: String(Math.random()), title: name, operationName: name, query, variables });
      sessionStorage.setItem('graphiql:tabState', JSON.stringify(state));
      location.reload();
    }, 700);
  }

  field.value = sessionStorage.getItem(stored) ?? '';
  show(field.value ? 'asking' : 'none');
  if (!field.value) field.focus();
  field.addEventListener('change', take);
  field.addEventListener('paste', () => setTimeout(take));
  bar.addEventListener('submit', (event) => {
    event.preventDefault();
    take();
  });
  tabs.addEventListener('pointerdown', listTabs);
  tabs.addEventListener('focus', listTabs);
  tabs.addEventListener('change', goToTab);
  document.getElementById('keyway-clear').addEventListener('click', clear);
`;

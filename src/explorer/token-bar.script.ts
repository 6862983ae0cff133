/** Holds the token for this tab, and sends it with every request to Keyway's graph and with no other. */
export const script = String.raw`
(() => {
  const stored = 'keyway:token';
  const endpoint = new URL('graphql', location.href).href;
  const bar = document.getElementById('keyway-bar');
  const field = document.getElementById('keyway-token');
  const hint = document.getElementById('keyway-hint');
  const tabs = document.getElementById('keyway-tabs');
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
    request.headers.set('authorization', 'Bearer ' + token);
    try {
      const response = await send(request);
      show(response.status === 401 ? 'refused' : response.status < 500 ? 'good' : 'silent');
      return response;
    } catch (error) {
      if (error.name !== 'AbortError') show('silent');
      throw error;
    }
  };

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
    field.value = '';
    location.reload();
  }

  function show(state) {
    bar.dataset.state = state;
    hint.textContent = hints[state];
  }

  // The strip of tabs shows a third of them; this lists all that are open.
  function listTabs() {
    const open = [...document.querySelectorAll('.graphiql-tab-button')];
    tabs.replaceChildren(tabs.options[0], ...open.map((tab) => new Option(tab.textContent, tab.id)));
  }

  function goToTab() {
    const tab = document.getElementById(tabs.value);
    tabs.selectedIndex = 0;
    tab?.click();
    tab?.scrollIntoView({ block: 'nearest', inline: 'center' });
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
})();
`;

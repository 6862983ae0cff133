/** How the bar looks, and how GraphiQL takes its place below; both follow the theme that GraphiQL is set to. */
export const style = `
body {
  --keyway-paper: light-dark(#fff, #212a3b);
  --keyway-ink: light-dark(#3b4b68, #d5dbe6);
  --keyway-faint: light-dark(#64748b, #9aa6ba);
  --keyway-line: light-dark(#dde1e8, #3b465b);
  --keyway-field: light-dark(#f4f6f8, #2b3547);
  --keyway-good: light-dark(#0f766e, #5eead4);
  --keyway-bad: light-dark(#b42318, #fda29b);
  color-scheme: light dark;
}
body.graphiql-light { color-scheme: light; }
body.graphiql-dark { color-scheme: dark; }

body { background: var(--keyway-paper); display: flex; flex-direction: column; height: 100vh; }
#root { flex: 1; min-height: 0; }
#root .graphiql-container { height: 100%; width: 100%; }
#root .graphiql-container .graphiql-sessions { margin-top: 12px; }
#root .graphiql-logo { display: none; }
body .graphiql-container.graphiql-container, body .graphiql-dialog.graphiql-dialog { --color-primary: 174, 70%, 32%; }
/* GraphiQL leaves shifts behind on its tabs, and they jump away from under a quick click. */
#root .graphiql-tab { transform: none !important; }

#keyway-bar {
  align-items: center; border-bottom: 1px solid var(--keyway-line); color: var(--keyway-ink); display: flex; flex: none;
  font: 14px/1.3 Roboto, system-ui, sans-serif; gap: 10px; height: 52px; margin: 0; padding: 0 16px 0 14px;
}
#keyway-mark { align-items: center; display: flex; font-size: 17px; font-weight: 500; gap: 10px; margin-right: 18px; }
#keyway-mark svg { height: 28px; width: 28px; }
#keyway-bar label { color: var(--keyway-faint); }
#keyway-bar :is(input, button, select) {
  background: var(--keyway-field); border: 1px solid var(--keyway-line); border-radius: 6px; box-sizing: border-box;
  color: inherit; font: inherit; height: 32px; padding: 0 10px;
}
#keyway-bar :is(input, button, select):focus-visible { outline: 2px solid var(--keyway-good); outline-offset: -1px; }
#keyway-bar :is(button, select) { cursor: pointer; }
#keyway-token { flex: 0 1 300px; min-width: 120px; }
#keyway-hint { flex: 1; font-size: 13px; line-height: 1.25; min-width: 0; }
#keyway-hint::before { content: '● '; }
#keyway-bar:is([data-state='none'], [data-state='asking']) #keyway-hint { color: var(--keyway-faint); }
#keyway-bar[data-state='good'] #keyway-hint { color: var(--keyway-good); }
#keyway-bar:is([data-state='malformed'], [data-state='refused'], [data-state='silent']) #keyway-hint {
  color: var(--keyway-bad);
}
#keyway-bar[data-state='none'] #keyway-clear { display: none; }
@media (max-width: 900px) {
  #keyway-bar { flex-wrap: wrap; height: auto; padding-block: 8px; }
  #keyway-hint { flex-basis: 100%; order: 1; }
}
/* On a telephone the editor stands above its answer. */
@media (max-width: 640px) {
  #keyway-mark { margin-right: 0; }
  #keyway-mark b { display: none; }
  #keyway-bar label { display: none; }
  #keyway-token { flex: 1 1 60px; min-width: 60px; }
  #keyway-tabs { width: 116px; }
  #root .graphiql-sidebar { padding-inline: 0; }
  #root .graphiql-sessions { margin-inline: 0; min-width: 0; }
  #root #graphiql-session { flex-direction: column; }
  #root #graphiql-session > * { flex: 1 1 0 !important; min-height: 0; min-width: 0; width: 100%; }
  #root #graphiql-session > .graphiql-horizontal-drag-bar { display: none; }
  #root .graphiql-query-editor { column-gap: 4px; padding: 8px; }
}
`;

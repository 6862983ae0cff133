import type { Example } from './examples.js';
import { script } from './token-bar.script.js';
import { style } from './token-bar.style.js';

/** Keyway's mark, a keyhole, as SVG. */
export const logo =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="32" height="32">' +
  '<rect width="32" height="32" rx="8" fill="#0f766e"/>' +
  '<path fill="#fff" d="M16 6.5a5.5 5.5 0 0 1 2.9 10.2l1.9 7.3a1.2 1.2 0 0 1-1.2 1.5h-7.2a1.2 1.2 0 0 1-1.2-1.5l1.9-7.3A5.5 5.5 0 0 1 16 6.5z"/>' +
  '</svg>';

/** The bar above GraphiQL: it holds the token for this tab and sends it with every request to Keyway, to nobody else. */
export const tokenBar = (examples: readonly Example[]): string => `<style>${style}</style>
<form id="keyway-bar" autocomplete="off">
  <span id="keyway-mark">${logo}<b>Keyway</b></span>
  <label for="keyway-token">Token</label>
  <input id="keyway-token" type="password" placeholder="kw_…" autocomplete="off" spellcheck="false" />
  <button id="keyway-clear" type="button">Clear</button>
  <output id="keyway-hint" for="keyway-token"></output>
  <select id="keyway-tabs" aria-label="Examples"><option value="">Examples …</option></select>
</form>
<script>${script(examples)}</script>
`;

import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isPage, isThere, placeOf, read } from './pages.mjs';

const root = fileURLToPath(new URL('../', import.meta.url));

// Where the files are that are no pages; nowhere, as long as package.json names no repository.
const { repository } = JSON.parse(read('package.json'));
const home = repository && (repository.url ?? repository).replace(/^git\+|\.git$/g, '');

/**
 * Makes the links of a page, which are those of the repository, such of the site. One to a file that is no page leads to
 * the repository, or is left as its text.
 * @throws where a link leads to no file, so that nothing is built.
 */
export function linksWithin(markdown) {
  markdown.core.ruler.push('links within', ({ tokens, env }) => {
    for (const { children } of tokens) if (children) keepLinks(children, env);
  });
}

function keepLinks(tokens, { realPath, path }) {
  const from = posix.relative(root, realPath ?? path);
  for (const opening of tokens.filter(({ type }) => type === 'link_open')) {
    const href = opening.attrGet('href');
    // One from the root of the site is of a page that was made for it.
    if (/^([a-z]+:|[#/])/.test(href)) continue;
    const [file, anchor] = href.split('#');
    const to = posix.join(posix.dirname(from), decodeURI(file)).replace(/\/$/, '');
    if (!isThere(to)) throw new Error(`${from} has a link to ${href}, which is not there`);
    if (isPage(to)) opening.attrSet('href', placeOf(to) + (anchor ? `#${anchor}` : ''));
    else if (home) opening.attrSet('href', `${home}/blob/HEAD/${to}`);
    else leaveText(tokens, opening);
  }
}

function leaveText(tokens, opening) {
  const at = tokens.indexOf(opening);
  const closing = tokens.findIndex(({ type }, place) => place > at && type === 'link_close');
  tokens.splice(closing, 1);
  tokens.splice(at, 1);
}

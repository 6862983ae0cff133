import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { kinds, madeIn } from './reference.mjs';

const root = new URL('../', import.meta.url);

/** A file of the repository, by its path. */
export const read = (path) => readFileSync(new URL(path, root), 'utf8');

/** Whether a path is one of a file or folder of the repository. */
export const isThere = (path) => existsSync(new URL(path, root));

/** What Markdown is no page: all in other folders than these. */
export const excluded = ['!(docs|packages|site)/**/*.md'];

/** Whether a file of the repository is a page of the site. */
export const isPage = (path) => /^([^/]+|docs\/.+|packages\/.+)\.md$/.test(path) && isThere(path);

/** Where pages are in the site, if it is elsewhere than in the repository. */
export const places = {
  'README.md': 'index.md',
  'docs/decisions/README.md': 'docs/decisions/index.md',
  'packages/client/README.md': 'packages/client/index.md',
  [`${madeIn}/:kind.md`]: 'reference/:kind.md',
};

/** Where a page of the repository is in the site. */
export const placeOf = (path) => `/${places[path] ?? path}`;

/** All pages in groups: those of the README's tables, in their order, then what these leave out. */
export function sidebar() {
  const [, tables = ''] = read('README.md').split('\n## Documentation\n');
  const listed = new Set();
  const groups = tables.split(/^To (?=.*:$)/m).slice(1);
  const guides = groups.map((group) => ({
    text: `To ${group.split(':')[0]}`,
    items: linkedIn(group, '')
      .filter((path) => !listed.has(path) && listed.add(path))
      .map(itemOf),
  }));
  const others = [...pagesIn(''), ...pagesIn('docs/')].filter(
    (path) => !listed.has(path) && path !== 'README.md',
  );
  const decisions = linkedIn(read('docs/decisions/README.md'), 'docs/decisions/');
  return [
    { text: 'Keyway', link: '/' },
    ...guides,
    { text: 'More', items: others.map(itemOf) },
    {
      text: 'Schema',
      items: kinds.map(({ kind, title }) => ({ text: title, link: `/reference/${kind}.md` })),
    },
    { text: 'Decisions', collapsed: true, items: decisions.map(itemOf) },
  ];
}

const itemOf = (path) => ({ text: /^# (.*)$/m.exec(read(path))?.[1] ?? path, link: placeOf(path) });

const pagesIn = (folder) =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}${name}`);

const linkedIn = (text, folder) => [
  ...new Set([...text.matchAll(/\]\(([\w/-]+\.md)\)/g)].map(([, path]) => `${folder}${path}`)),
];

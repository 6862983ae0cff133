// The pages of the repository as a site: `npm run docs` builds it into dist/docs-site.
import { defineConfig } from 'vitepress';
import { linksWithin } from '../links.mjs';
import { makeReference } from '../reference.mjs';
import { excluded, places, read, sidebar } from '../pages.mjs';
import { slugOf } from '../slug.mjs';

makeReference();

export default defineConfig({
  title: 'Keyway',
  description: 'Keyway: one GraphQL API for the credentials of all stores.',
  head: [
    [
      'link',
      { rel: 'icon', href: `data:image/svg+xml,${encodeURIComponent(read('console/src/keyhole.svg'))}` },
    ],
  ],
  srcDir: '..',
  srcExclude: excluded,
  rewrites: places,
  outDir: '../dist/docs-site',
  cacheDir: '../dist/docs-cache',
  markdown: {
    // As GitHub makes them: the same link leads to the same heading here and there.
    anchor: { slugify: slugOf },
    // No page has HTML of its own, and a name in angle brackets is a text.
    html: false,
    config: linksWithin,
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: { level: [2, 3] },
    nav: [
      { text: 'Schema', link: '/reference/queries.md', activeMatch: '/reference/' },
      { text: 'Changes', link: '/CHANGELOG.md' },
    ],
    sidebar: sidebar(),
  },
});

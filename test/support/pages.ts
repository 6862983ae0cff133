import { readdirSync, readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);

/** A file of the repository, by its path. */
export const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

const markdownIn = (folder: string): string[] =>
  readdirSync(new URL(folder, root), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory() && folder !== '') return markdownIn(`${path}/`);
    return entry.name.endsWith('.md') ? [path] : [];
  });

/** The pages that are written for readers: those at the root, and all of `docs/`. */
export const pages: readonly string[] = [...markdownIn(''), ...markdownIn('docs/')].sort();

/** The texts of the code blocks in a language. */
export const blocks = (language: string, text: string): string[] =>
  [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].flatMap(([, name, block]) =>
    name === language && block !== undefined ? block : [],
  );

/**
 * The text below a heading of a page, up to the next of its level.
 * @throws where the page has no such heading.
 */
export function section(path: string, title: string): string {
  const [, text] = read(path).split(`\n## ${title}\n`);
  if (text === undefined) throw new Error(`${path} has no section ${title}`);
  return text.split('\n## ')[0] ?? '';
}

/** The anchors that a page's headings have, as GitHub makes them. */
export const anchors = (text: string): string[] =>
  [...text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );

/** What a page links to in this repository: each path from the root, and the anchor, where the link has one. */
export function linksOf(path: string): { to: string; anchor: string | undefined }[] {
  const text = read(path).replace(/^```[\s\S]*?^```$/gm, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const { pathname, hash } = new URL(link, new URL(path, 'file:///'));
      return { to: pathname.slice(1), anchor: hash === '' ? undefined : hash.slice(1) };
    });
}

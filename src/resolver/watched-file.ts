import { readFileSync, statSync } from 'node:fs';

/**
 * What a small file of the system says, read again when it was changed; as of an empty one, where it cannot be read. It
 * is read at once, since the runtime's threads may all be taken.
 */
export function watchedFile<Parsed>(path: string, parse: (text: string) => Parsed): () => Parsed {
  let version: string | undefined;
  let parsed = parse('');
  return () => {
    const now = versionOf(path);
    if (now !== version) {
      parsed = parse(textOf(path));
      version = now;
    }
    return parsed;
  };
}

function versionOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${found.ino} ${found.size} ${found.mtimeMs}` : 'none';
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

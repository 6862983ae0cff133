import { readFileSync, statSync } from 'node:fs';

/**
 * What a small file of the system says, read again when it was changed. Where it cannot be read just now, what it said
 * before holds; where it never could, or is not there, it is as an empty one. It is read at once, since the runtime's
 * threads may all be taken.
 */
export function watchedFile<Parsed>(path: string, parse: (text: string) => Parsed): () => Parsed {
  let version: string | undefined;
  let parsed = parse('');
  return () => {
    try {
      const now = versionOf(path);
      if (now !== version) {
        parsed = parse(now === missing ? '' : readFileSync(path, 'utf8'));
        version = now;
      }
    } catch {
      // As it was.
    }
    return parsed;
  };
}

function versionOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${found.ino} ${found.size} ${found.mtimeMs}` : missing;
}

const missing = 'none';

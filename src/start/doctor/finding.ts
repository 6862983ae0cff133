import { FolderTaken } from '../../database/folder-lock.js';
import { KeyFilesError } from '../../keyring/kek-file.js';
import { KeywayError } from '../../errors.js';

/** What was found by looking at one thing. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string;
  /** `wrong`: Keyway cannot start, or does not work. `skipped`: it could not be looked at. */
  readonly state: 'ok' | 'warning' | 'wrong' | 'skipped';
  /** What is so, in a sentence. */
  readonly found: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** Says of one thing what is found. */
export interface Findings {
  ok(found: string, advice?: string): Finding;
  warning(found: string, advice?: string): Finding;
  wrong(found: string, advice?: string): Finding;
  skipped(found: string, advice?: string): Finding;
}

/** Findings of one thing. */
export function findingsOf(check: string): Findings {
  const by = (state: Finding['state']) => (found: string, advice?: string) => ({
    check,
    state,
    found,
    ...(advice !== undefined && { advice }),
  });
  return { ok: by('ok'), warning: by('warning'), wrong: by('wrong'), skipped: by('skipped') };
}

/** Looks at one thing; what is thrown meanwhile is a finding too, in words of ours or by its code. */
export async function lookAt(
  check: string,
  look: (say: Findings) => Promise<readonly Finding[]> | readonly Finding[],
): Promise<readonly Finding[]> {
  const say = findingsOf(check);
  try {
    return await look(say);
  } catch (error) {
    return failuresOf(error).map((found) => say.wrong(found));
  }
}

const refused = 'Keyway cannot start:\n';

/** Messages of libraries and of the database may hold values, and are not repeated. */
function failuresOf(error: unknown): readonly string[] {
  if (error instanceof KeyFilesError) return error.faults;
  if (error instanceof KeywayError || error instanceof FolderTaken) return [error.message];
  if (!(error instanceof Error)) return ['it failed'];
  if (error.message.startsWith(refused))
    return [
      error.message
        .slice(refused.length)
        .split('\n')
        .map((line) => line.trim())
        .join(' '),
    ];
  const { code } = error as { code?: unknown };
  return [`it failed (${typeof code === 'string' ? code : error.name})`];
}

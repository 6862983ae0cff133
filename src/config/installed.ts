import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Where something of this package lies, named by its path from the package's own folder. Code is run as it is written, as it
 * is built, and packed into few files: so nothing can be found by where it lies beside the code.
 * @throws an Error to show where the code does not lie in its package.
 */
export function installed(path: string): string {
  let root = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(root, 'package.json'))) {
    if (dirname(root) === root) throw new Error('Keyway does not lie in its package, where package.json is.');
    root = dirname(root);
  }
  return join(root, path);
}

// Makes the embedded database as it is before its first start, into the folder that is named: that takes seconds, which
// first starts have no need of when they begin with a copy.
import { PGlite } from '@electric-sql/pglite';
import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const [folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
await (await PGlite.create({ dataDir: join(folder, 'postgres') })).close();
// Whoever may run Keyway may copy it, and there is nothing in it.
for (const found of readdirSync(folder, { withFileTypes: true, recursive: true }))
  chmodSync(join(found.parentPath, found.name), found.isDirectory() ? 0o755 : 0o644);

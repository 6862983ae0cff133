import { rmSync } from 'node:fs';
import { onServer } from './global-setup.mjs';
import environment from './one-world/environment.cjs';

export default async function teardown() {
  const {
    KEYWAY_TEST_TEMPLATE: template,
    KEYWAY_TEST_DATABASE: name,
    TEST_DATABASE_URL: server,
  } = process.env;
  await environment.endShared();
  if (template) rmSync(template, { recursive: true, force: true });
  if (server && name) await onServer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

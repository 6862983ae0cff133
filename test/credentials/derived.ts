import { makeCredential, unique } from '../support/make.js';
import { encodeId } from '../../src/ids.js';
import type { SharedServer } from '../support/server.js';

/**
 * A token derived from the credential of that name, put into the table as issuing one would, and sealed to nothing: it
 * calls Keyway as the account that the credential belongs to.
 */
export async function addDerived(
  server: SharedServer,
  parent: string,
): Promise<{ name: string; token: string }> {
  const name = unique('derived');
  const [of] = await server.rows<{ account: string }>(
    'SELECT CAST(account_id AS text) AS account FROM credentials WHERE name = :parent',
    { parent },
  );
  if (!of) throw new Error('there is no such parent');
  const { secret } = await makeCredential(server, encodeId('Account', of.account), {
    name,
    secret: { token: {} },
  });
  if (secret === null) throw new Error('the token was not shown');
  await server.rows(
    `UPDATE credentials SET parent_id = (SELECT id FROM credentials WHERE name = :parent) WHERE name = :name`,
    { parent, name },
  );
  return { name, token: secret };
}

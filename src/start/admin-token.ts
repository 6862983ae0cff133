import { nobody } from '../audit/decision.js';
import { recordAs } from '../audit/record.js';
import { beginVersion } from '../credentials/record/versions.js';
import { CredentialUse } from '../credentials/record/credential-use.js';
import { Credential, CredentialKind } from '../credentials/record/credential.js';
import type { Tx } from '../database/database.js';
import type { Account } from '../accounts/account.js';
import { newId } from '../ids.js';
import type { Keyring } from '../keyring/keyring.js';
import { mintToken, tokenKinds } from '../keyring/token.js';
import type { Secret } from '../secret.js';
import { builtInStoreId } from '../stores/store.js';
import { dayMs } from '../time.js';

/**
 * Makes a token of an account without asking anyone: for the first start, and on the machine itself for an
 * administrator who is locked out. It is on record, as made by nobody.
 */
export async function makeToken(
  tx: Tx,
  keyring: Keyring,
  account: Pick<Account, 'id' | 'kind'>,
  name: string,
  days: number,
): Promise<Secret> {
  const { id: accessKey, token } = mintToken(tokenKinds[account.kind]);
  const { verifier, keyId } = keyring.verifier(accessKey, token);
  const id = newId();
  const livesMs = Math.trunc(days) * dayMs;
  await tx.em.getRepository(Credential).insert({
    id,
    storeId: builtInStoreId,
    accountId: account.id,
    ownerId: account.id,
    kind: CredentialKind.TOKEN,
    name,
    accessKey,
    enabled: true,
    allowedIps: [],
    retrievable: false,
    // Written as one number of milliseconds it would be too long an interval for PostgreSQL 14.
    expiresAt: () => `now() + ${livesMs} * interval '1 millisecond'`,
  });
  await beginVersion(tx, {
    credentialId: id,
    number: 1,
    state: 'CURRENT',
    accessKey,
    verifier,
    verifierKeyId: keyId,
  });
  await tx.em.getRepository(CredentialUse).insert({ credentialId: id, unusedSince: () => 'now()' });
  await recordAs(keyring, tx, nobody(), {
    action: 'credential:create',
    target: { type: 'Credential', id },
    accountId: account.id,
  });
  return token;
}

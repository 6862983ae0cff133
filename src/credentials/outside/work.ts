import type { Connector, Known, Minted, Upstream, Wish } from '../../connectors/connector.js';
import { selectRows } from '../../database/columns.js';
import { sql, type Database } from '../../database/database.js';
import { KeywayError } from '../../errors.js';
import type { Keyring } from '../../keyring/keyring.js';
import { Credential, CredentialKind } from '../record/credential.js';
import type { CredentialSecret } from '../record/credential-version.js';
import { Intent } from './intent.js';
import { leftoversOf, type Leftover } from './leftover.js';
import { openSecret } from '../secret/keep-secret.js';
import type { SecretParts } from '../secret/issued-secret.js';

/** An intent with all that it is about. */
export interface Work {
  readonly intent: Intent;
  readonly credential: Credential;
  readonly versions: readonly Version[];
  /** The names of the roles that the credential carries. */
  readonly roles: readonly string[];
  /** What is to end in the store. */
  readonly leftovers: readonly Leftover[];
}

export type Version = Pick<CredentialSecret, 'number' | 'state' | 'accessKey' | 'sealed'>;

/**
 * How a store makes secrets: `ours` are chosen before it is called, and setting one again does no harm; with
 * `overlap` it makes one beside the one before; `replaced` ends the one before at once.
 */
export type Way = 'ours' | 'overlap' | 'replaced';

export const wayOf = ({ rotation }: Connector): Way =>
  rotation?.chosenBy !== 'store' ? 'ours' : rotation.previous === 'lives' ? 'overlap' : 'replaced';

export async function loadWork(db: Database, id: string): Promise<Work> {
  const statement = db.statement('intent', (source) => selectRows(source, Intent, 'i').where('i.id = :id'));
  const [intent] = await db.rows<Intent>(statement, { id });
  if (!intent) throw new KeywayError('INTERNAL_SERVER_ERROR');
  return { intent, ...(await loadCredential(db, intent.credentialId)) };
}

/** A credential with all that there is to it in its store. */
export async function loadCredential(db: Database, id: string): Promise<Omit<Work, 'intent'>> {
  const of = db.statement('credential of an intent', (source) =>
    selectRows(source, Credential, 'c').where('c.id = :id'),
  );
  const [[credential], versions, roles, leftovers] = await Promise.all([
    db.rows<Credential>(of, { id }),
    db.rows<Version>(living, { id }),
    db.rows<{ name: string }>(rolesCarried, { id }),
    leftoversOf(db, id),
  ]);
  if (!credential) throw new KeywayError('INTERNAL_SERVER_ERROR');
  return { credential, versions, roles: roles.map(({ name }) => name), leftovers };
}

/** The credential, as its connector is told of it. */
export function knownOf({
  credential,
  versions,
  leftovers = [],
}: Pick<Work, 'credential' | 'versions'> & Partial<Pick<Work, 'leftovers'>>): Known {
  const { externalId, scope, kind, name, accessKey, provider, enabled, parentId, storeRevision } = credential;
  const keys = [accessKey, ...[...versions, ...leftovers].map((one) => one.accessKey)];
  return {
    externalId: externalId ?? '',
    scope: scope ?? '',
    kind,
    name,
    accessKey,
    provider,
    enabled,
    temporary: parentId !== null,
    revision: storeRevision,
    keys: [...new Set(keys.flatMap((key) => key ?? []))],
  };
}

/** Of which its store has not said the id: a store that has one in each place has it by that. */
export function placed<Of extends Pick<Work, 'credential'>>(connector: Connector, work: Of): Of {
  const { externalId, scope } = work.credential;
  if (externalId !== null || wayOf(connector) !== 'replaced') return work;
  return { ...work, credential: { ...work.credential, externalId: scope } };
}

/** The secret of a version, for where it is to be sent; null where Keyway does not have it. */
export async function secretOfVersion(
  keyring: Keyring,
  upstream: Pick<Upstream, 'addresses'>,
  credential: Credential,
  version: Version | undefined,
): Promise<Minted | null> {
  if (!version?.sealed) return null;
  return mintedOf(await openSecret(keyring, upstream, credential, { ...version, sealed: version.sealed }));
}

export const currentOf = ({ versions }: Pick<Work, 'versions'>): Version | undefined =>
  versions.find(({ state }) => state === 'CURRENT');

/** What is wanted of a new secret: the one that was chosen before, where it was. */
export function wishOf(credential: Credential, chosen: Minted | null): Wish {
  const { accessKey, provider, secretPrefix: prefix, secretFormat: format } = credential;
  switch (credential.kind) {
    case CredentialKind.PROVIDER_KEYS:
      return { kind: 'PROVIDER_KEYS', provider: provider ?? '', keys: chosen?.keys ?? [] };
    case CredentialKind.PASSWORD:
      return { kind: 'PASSWORD', accessKey: accessKey ?? '', password: chosen?.secret ?? null };
    case CredentialKind.ACCESS_KEY:
      return { kind: 'ACCESS_KEY', prefix, format, accessKey: null };
    case CredentialKind.TOKEN:
      return { kind: 'TOKEN', prefix, tokenKind: 'key', accessKey: null };
  }
}

const mintedOf = ({ accessKey, secret, keys }: SecretParts): Minted => ({
  accessKey,
  secret,
  keys,
  proof: secret,
});

/** The secrets of a credential that work, may come to, or are not known of. */
export const living = sql(`
  SELECT number, state, access_key AS "accessKey", sealed FROM credential_versions
  WHERE credential_id = :id AND state IN ('PENDING', 'CURRENT', 'PREVIOUS', 'UNKNOWN') ORDER BY number`);
const rolesCarried = sql(`
  SELECT r.name FROM credential_roles cr JOIN roles r ON r.id = cr.role_id WHERE cr.credential_id = :id ORDER BY 1`);

import type { Answer, AskOptions, SharedServer } from '../support/server.js';
import { expectData } from '../support/make.js';

const credentialFields = `
  id kind name description accessKey provider category fullName email status enabled allowedIps retrievable
  account { id } owner { id } project { id } roles { id } parent { id }
  versions { number state accessKey validUntil lastUsedAt }
  rotation { id state startedBy { id } startedAt finishedAt from { number } to { number } safeToRetire }
  rotationPolicy { every gracePeriod nextAt } rateLimit { uses window }
  remainingUses { count refill { amount every nextAt } }
  revision createdAt updatedAt lastUsedAt expiresAt revokedAt deletedAt`;
const issuedFields = 'accessKey secret keys { name value } expiresAt';

type Input = Record<string, unknown>;

const verb =
  (name: string, selection: string) =>
  (server: SharedServer, input: Input, options?: AskOptions): Promise<Answer> => {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const text = `mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} } }`;
    return server.ask(text, { input }, options);
  };

const shown = `credential { ${credentialFields} } issued { ${issuedFields} }`;
const changed = `credential { ${credentialFields} }`;

/** The verbs of credentials as a caller sends them, with all that there is to ask for in the answer. */
export const create = verb('createCredential', shown);
export const rotate = verb('rotateCredential', shown);
export const reveal = verb('revealCredential', `${shown} other { ${issuedFields} }`);
export const update = verb('updateCredential', changed);
export const revoke = verb('revokeCredential', changed);
export const remove = verb('deleteCredential', changed);

/** The credential as the administrator sees it. */
export async function read(server: SharedServer, id: string) {
  const text = `query ($id: ID!) { credential(id: $id) { ${credentialFields} } }`;
  return expectData(await server.ask(text, { id })).credential;
}

/** A credential apart from when it was used, which is noted some time after the use. */
export const apartFromUse = (credential: object): object =>
  JSON.parse(
    JSON.stringify(credential, (key, value: unknown) => (key === 'lastUsedAt' ? undefined : value)),
  ) as object;

/** Whether this token is taken: the status of a request made with it. */
export const statusWith = async (server: SharedServer, token: string): Promise<number> =>
  (await server.ask('{ viewer { id } }', {}, { token })).status;

/** The paths of the faults in a refused input. */
export const faultPaths = ({ errors }: Answer): string[] =>
  errors.flatMap(({ extensions }) => extensions.fields ?? []).map(({ path }) => path);

/** In days from now, as an instant. */
export const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();

/** What the versions of a credential keep, newest first: which columns hold something. */
export async function keptOf(server: SharedServer, accessKey: string): Promise<Record<string, unknown>[]> {
  return server.rows(
    `SELECT v.number, v.state, v.password_hash AS "passwordHash", v.verifier IS NOT NULL AS verifier,
       v.verifier_key_id IS NOT NULL AS "verifierKey", v.pepper_id IS NOT NULL AS pepper,
       v.sealed IS NOT NULL AS sealed, v.kek_id IS NOT NULL AS kek
     FROM credential_versions v JOIN credentials c ON c.id = v.credential_id
     WHERE c.access_key = :accessKey OR c.name = :accessKey ORDER BY v.number DESC`,
    { accessKey },
  );
}

/** Columns of the database, and the log, that hold one of these texts in plain, base64, hex or URL form. */
export async function placesOf(server: SharedServer, texts: readonly string[]): Promise<string[]> {
  const needles = texts.flatMap(spellings);
  const columns = await server.rows<{ table: string; column: string; type: string }>(`
    SELECT table_name AS "table", column_name AS "column", data_type AS type FROM information_schema.columns
    WHERE table_schema = 'public' AND data_type IN ('text', 'character varying', 'bytea', 'ARRAY', 'json', 'jsonb')`);
  const places: string[] = server.logged.some((line) => needles.some((needle) => line.includes(needle)))
    ? ['log']
    : [];
  for (const { table, column, type } of columns) {
    // As bytes both kinds of column are read alike: what stands in a bytea is compared by its hex digits.
    const hex =
      type === 'bytea'
        ? `encode(${column}, 'hex')`
        : `encode(convert_to(CAST(${column} AS text), 'UTF8'), 'hex')`;
    const [found] = await server.rows(
      `SELECT 1 AS found FROM ${table}, unnest(CAST(:needles AS text[])) AS needle
       WHERE strpos(${hex}, needle) > 0 LIMIT 1`,
      { needles: needles.map((needle) => Buffer.from(needle).toString('hex')) },
    );
    if (found) places.push(`${table}.${column}`);
  }
  return places;
}

function spellings(text: string): string[] {
  const bytes = Buffer.from(text);
  // Within longer base64 text the same bytes have three spellings, of which the ends depend on their neighbours.
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes, Buffer.alloc(3)])
      .toString('base64')
      .slice(4, -8),
  );
  const hex = bytes.toString('hex');
  const url = base64.map((one) => one.replaceAll('+', '-').replaceAll('/', '_'));
  return [...new Set([text, encodeURIComponent(text), hex, hex.toUpperCase(), ...base64, ...url])];
}

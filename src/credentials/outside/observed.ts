import type { Admission, Described, KeptByStore, Minted, Observed } from '../../connectors/connector.js';
import { rangeAround } from '../../access/addresses.js';
import { sql, type Tx } from '../../database/database.js';
import { EmailAddress } from '../../inputs/scalars.js';
import type { RoleTrust, Unsaid } from '../record/credential.js';
import { Provider } from '../record/provider.js';

/** What a store said of a credential, as Keyway keeps it; what it did not say is not there. */
export interface Said {
  name: string;
  access_key?: string | null;
  provider?: string | null;
  description?: string | null;
  category?: string | null;
  full_name?: string | null;
  email?: string | null;
  enabled?: boolean;
  allowed_ips?: string[];
  expires_at?: string | null;
  roles?: string[];
  revoked?: boolean;
  readable?: boolean;
  base_url?: string | null;
  invalid?: boolean;
  problem?: string | null;
  trust?: RoleTrust | null;
}

/** What of an entry can be kept: an e-mail that is none, as Keyway reads them, is left out. */
export function saidOf(entry: Observed): Said {
  const { name, accessKey, provider, description, category, fullName, email } = entry;
  const { expiresAt, roles, revoked, readable, baseUrl, invalid, trust } = entry;
  return {
    name,
    ...(accessKey !== undefined && { access_key: accessKey }),
    ...(provider !== undefined && { provider: known(provider) }),
    ...(description !== undefined && { description }),
    ...(category !== undefined && { category }),
    ...(fullName !== undefined && { full_name: fullName }),
    ...(email !== undefined && { email: email === null ? null : emailIn(email) }),
    ...admissionIn(entry),
    ...(expiresAt !== undefined && { expires_at: expiresAt }),
    ...(roles && { roles: [...new Set(roles)].sort() }),
    ...(revoked && { revoked }),
    ...(readable && { readable }),
    ...(baseUrl !== undefined && { base_url: baseUrl }),
    ...(invalid !== undefined && { invalid: invalid !== null, problem: invalid?.problem ?? null }),
    ...(trust !== undefined && { trust }),
  };
}

const admissionIn = ({ enabled, allowedIps }: Admission): Pick<Said, 'enabled' | 'allowed_ips'> => ({
  ...(enabled !== undefined && { enabled }),
  ...(allowedIps && { allowed_ips: [...new Set(allowedIps.map(rangeIn))] }),
});

/**
 * Puts on record what a store said of whom a credential is of, when it was asked for something else: it holds for the
 * credential too.
 */
export async function noteAdmission(tx: Tx, id: string, admission: Admission): Promise<void> {
  const said = admissionIn(admission);
  if (Object.keys(said).length > 0) await tx.rows(admitted, { id, said: JSON.stringify(said) });
}

/** What a store was told, as it will say it. */
export function toldOf(described: Partial<Described>, keeps: readonly KeptByStore[] = []): Partial<Said> {
  const { expiresAt } = described;
  const said: Partial<Said> = saidOf({
    name: '',
    ...described,
    ...(expiresAt && { expiresAt: new Date(expiresAt).toISOString() }),
    externalId: '',
    scope: '',
    kind: 'PASSWORD',
  });
  const kept = new Set<string>(keeps.map((name) => columns[name] ?? name));
  return Object.fromEntries(Object.entries(said).filter(([name]) => kept.has(name)));
}

/**
 * What a store is taken to have said when it has a new secret, so that saying it again is no news. What it said was wrong,
 * it said of the secret before.
 */
export const saidOfSecret = ({ accessKey, expiresAt }: Minted): Partial<Said> => ({
  ...{ invalid: false, problem: null },
  ...(accessKey !== null && { access_key: accessKey }),
  ...(expiresAt && { expires_at: expiresAt }),
});

/**
 * The members that a store says otherwise than it did before; of what was recorded here before it was first asked, those
 * that it keeps itself.
 */
export function saidAnew(before: Said | null, now: Said, keeps: readonly KeptByStore[]): Partial<Said> {
  const kept = new Set<string>([...keeps.map((name) => columns[name] ?? name), ...storesOwn]);
  return Object.fromEntries(
    Object.entries(now).filter(([name, value]) =>
      before === null ? kept.has(name) : JSON.stringify(before[name as keyof Said]) !== JSON.stringify(value),
    ),
  );
}

const columns: Partial<Record<KeptByStore, keyof Said>> = {
  fullName: 'full_name',
  allowedIps: 'allowed_ips',
  expiresAt: 'expires_at',
  baseUrl: 'base_url',
};
const storesOwn: readonly (keyof Said)[] = [
  ...(['access_key', 'expires_at', 'revoked', 'readable', 'invalid', 'problem', 'trust'] as const),
  // Whoever can switch it, what the store says of it holds.
  ...(['enabled', 'allowed_ips'] as const),
];

/** What of a credential is not known from what a store said, or from what it was told. */
export const unsaidIn = (said: Partial<Said>): Unsaid[] => [
  ...(said.enabled === undefined ? (['enabled'] as const) : []),
  ...(said.allowed_ips === undefined ? (['allowedIps'] as const) : []),
];

const providers: ReadonlySet<string> = new Set(Object.values(Provider));
const known = (provider: string | null): string | null =>
  provider !== null && providers.has(provider) ? provider : null;

/**
 * A restriction that Keyway cannot read is one all the same, and is shown as an address that nobody calls from (RFC
 * 1122, section 3.2.1.3): no address at all would mean any.
 */
const rangeIn = (text: string): string => rangeAround(text) ?? '255.255.255.255';

function emailIn(text: string): string | null {
  try {
    return EmailAddress.parseValue(text);
  } catch {
    return null;
  }
}

const admitted = sql(`
  UPDATE credentials c SET
    enabled = coalesce(CAST(n.said ->> 'enabled' AS boolean), c.enabled),
    allowed_ips = CASE WHEN n.said ? 'allowed_ips'
      THEN ARRAY(SELECT jsonb_array_elements_text(n.said -> 'allowed_ips')) ELSE c.allowed_ips END,
    unsaid = ARRAY(SELECT name FROM unnest(c.unsaid) AS name
      WHERE NOT n.said ? CASE name WHEN 'allowedIps' THEN 'allowed_ips' ELSE name END),
    observed = c.observed || n.said
  FROM (SELECT CAST(:said AS jsonb) AS said) AS n WHERE c.id = :id RETURNING c.id`);

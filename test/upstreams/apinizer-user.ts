import { isIP } from 'node:net';

/** A value that goes with a credential. */
export interface Metadata {
  key: string;
  value?: string;
  secret?: boolean;
}

/** What may be granted. */
export interface Access {
  name: string;
  type: 'API_PROXY' | 'API_PROXY_GROUP';
}

/** A credential as it is sent and kept. */
export interface GatewayUser {
  username: string;
  password: string;
  email: string;
  fullName: string;
  description?: string;
  roleNameList: string[];
  enabled: boolean;
  ipList: string[];
  /** An instant in UTC with milliseconds; null for none. */
  expireDate: string | null;
  metadata: Metadata[];
}

type Sent = Partial<Record<string, unknown>>;

const needed = [
  ['username', 'username'],
  ['password', 'password'],
  ['fullName', 'full name'],
  ['email', 'email'],
] as const;

/** The whole credential that a body holds; a text that says what is wrong with it. */
export function readUser(sent: Sent, roles: ReadonlySet<string>): GatewayUser | string {
  for (const [name, word] of needed) if (isEmpty(sent[name])) return `Credential ${word} can not be empty!`;
  const { email, description, enabled, roleNameList, ipList, expireDate, metadata } = sent;
  if (!/^[^@\s]+@[^@\s]+$/.test(String(email))) return 'Credential email is not valid!';
  if (description !== undefined && typeof description !== 'string')
    return 'Credential description is not valid!';
  if (enabled !== undefined && typeof enabled !== 'boolean') return 'Credential enabled is not valid!';
  const [names, addresses] = [textsOf(roleNameList), textsOf(ipList)];
  const unknown = names?.find((name) => !roles.has(name));
  if (!names || unknown !== undefined) return `Credential role (name:${unknown ?? ''}) is not found`;
  if (!addresses?.every(isSource)) return 'Credential ip list is not valid!';
  if (!isDate(expireDate)) return 'Credential expire date is not valid!';
  return {
    ...(Object.fromEntries(needed.map(([name]) => [name, sent[name]])) as Record<
      (typeof needed)[number][0],
      string
    >),
    ...(description !== undefined && { description }),
    roleNameList: names,
    enabled: enabled ?? true,
    ipList: addresses,
    expireDate: expireDate ?? null,
    metadata: Array.isArray(metadata) ? (metadata as Metadata[]) : [],
  };
}

/** What a list of access holds; a text that says what is wrong with it. */
export function readAccess({ credentialAccessList: list }: Sent): Access[] | string {
  if (!Array.isArray(list)) return 'Credential access list can not be empty!';
  for (const one of list as Partial<Access>[]) {
    if (isEmpty(one.name)) return 'Credential access object name can not be empty!';
    if (one.type !== 'API_PROXY' && one.type !== 'API_PROXY_GROUP')
      return 'Credential access object type can not be empty!';
  }
  return (list as Access[]).map(({ name, type }) => ({ name, type }));
}

/** The member of a body by which PATCH sets a password; a text that says what is wrong with it. */
export const readPassword = ({ password }: Sent): { password: string } | string =>
  isEmpty(password) ? 'Credential password can not be empty!' : { password: password as string };

const isEmpty = (value: unknown) => typeof value !== 'string' || value.trim() === '';

const textsOf = (list: unknown = []): string[] | undefined =>
  Array.isArray(list) && list.every((one) => typeof one === 'string') ? list : undefined;

const isDate = (value: unknown): value is string | null | undefined =>
  value === undefined ||
  value === null ||
  (typeof value === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) &&
    !isNaN(Date.parse(value)));

function isSource(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

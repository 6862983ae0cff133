import { randomBytes, randomUUID } from 'node:crypto';

export interface NcloudKey {
  accessKey: string;
  secretKey: string;
  /** null: of the main account. */
  subAccountId: string | null;
  active: boolean;
  createdMs: number;
  /** Only of keys from STS. */
  temporary?: { expiresMs: number; useMfa: boolean; parent: string };
}

export type NcloudPolicy = 'NCP_ADMINISTRATOR' | 'NCP_SUB_ACCOUNT_MANAGER' | 'NCP_SUB_ACCOUNT_VIEWER';

export interface NcloudSubAccount {
  readonly subAccountId: string;
  readonly subAccountNo: number;
  loginId: string;
  name: string;
  email: string;
  memo: string;
  active: boolean;
  canAPIGatewayAccess: boolean;
  canConsoleAccess: boolean;
  /** Whether its keys work from `apiAllowSources` alone. */
  useApiAllowSource: boolean;
  apiAllowSources: { type: 'IP' | 'VPC' | 'VPC_SERVER'; source: string }[];
  policies: NcloudPolicy[];
  createdMs: number;
  /** The permanent ones, by access key. */
  readonly keys: Map<string, NcloudKey>;
}

export type NcloudState = ReturnType<typeof ncloudState>;

/** What the main account holds, and what is done to it. */
export function ncloudState(now: () => number) {
  const subAccounts = new Map<string, NcloudSubAccount>();
  const keys = new Map<string, NcloudKey>();

  const keep = (key: NcloudKey): NcloudKey => {
    keys.set(key.accessKey, key);
    if (key.subAccountId !== null && !key.temporary)
      subAccounts.get(key.subAccountId)?.keys.set(key.accessKey, key);
    return key;
  };

  const addSubAccount = (
    loginId: string,
    more: Partial<Omit<NcloudSubAccount, 'subAccountId' | 'subAccountNo' | 'loginId' | 'keys'>> = {},
  ): NcloudSubAccount => {
    const one: NcloudSubAccount = {
      subAccountId: randomUUID(),
      subAccountNo: subAccounts.size + 1,
      loginId,
      name: loginId,
      email: `${loginId}@example.com`,
      memo: '',
      active: true,
      canAPIGatewayAccess: true,
      canConsoleAccess: false,
      useApiAllowSource: false,
      apiAllowSources: [],
      policies: [],
      createdMs: now(),
      ...more,
      keys: new Map(),
    };
    subAccounts.set(one.subAccountId, one);
    return one;
  };

  const addKey = (subAccountId: string, createTime?: Date): NcloudKey => {
    if (!subAccounts.has(subAccountId)) throw new Error(`no sub account ${subAccountId}`);
    return keep(newKey(subAccountId, createTime?.getTime() ?? now()));
  };

  const isExpired = ({ temporary }: NcloudKey): boolean =>
    temporary !== undefined && temporary.expiresMs <= now();

  /** Whether the keys of a sub account may come from there. Whether ranges may be named is not published. */
  const isLetInFrom = ({ subAccountId }: NcloudKey, address: string): boolean => {
    const owner = subAccounts.get(subAccountId ?? '');
    if (!owner?.useApiAllowSource) return true;
    return owner.apiAllowSources.some(({ type, source }) => type === 'IP' && source === address);
  };

  /** Whether a key signs calls. It is assumed that a temporary key lives no longer than the one it comes from. */
  const isUsable = (key: NcloudKey): boolean => {
    if (!key.active || isExpired(key)) return false;
    const owner = key.subAccountId === null ? undefined : subAccounts.get(key.subAccountId);
    if (key.subAccountId !== null && !(owner?.active && owner.canAPIGatewayAccess)) return false;
    if (!key.temporary) return true;
    const parent = keys.get(key.temporary.parent);
    return parent !== undefined && isUsable(parent);
  };

  return {
    subAccounts,
    /** Every key, temporary ones and that of the main account too. */
    keys,
    main: keep(newKey(null, now())),
    addSubAccount,
    addKey,
    addTemporaryKey: (parent: NcloudKey, seconds: number, useMfa: boolean): NcloudKey =>
      keep({
        ...newKey(parent.subAccountId, now()),
        temporary: { expiresMs: now() + seconds * 1000, useMfa, parent: parent.accessKey },
      }),
    deleteKey: (owner: NcloudSubAccount, { accessKey }: NcloudKey): void => {
      owner.keys.delete(accessKey);
      keys.delete(accessKey);
    },
    isExpired,
    isLetInFrom,
    isUsable,
  };
}

const newKey = (subAccountId: string | null, createdMs: number): NcloudKey => ({
  accessKey: `ncp_iam_${letters(20)}`,
  secretKey: `ncp_iam_${letters(34)}`,
  subAccountId,
  active: true,
  createdMs,
});

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_';

const letters = (count: number): string =>
  Array.from(randomBytes(count), (byte) => alphabet.charAt(byte % alphabet.length)).join('');

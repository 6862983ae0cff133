import { membersOf } from './members-of.js';
import {
  activeKeys,
  numberIn,
  timeText,
  type NcloudCall,
  type NcloudRoute,
  type NcloudSettings,
} from './ncloud-call.js';
import { serviceError } from './ncloud-errors.js';
import type { NcloudKey, NcloudSubAccount } from './ncloud-state.js';
import type { Answered } from './stand-in.js';

/**
 * Version 1 of Sub Account (api.ncloud-docs.com/docs/en/management-subaccount): the key is in the body, never in the
 * path.
 */
export function subAccountRoutesV1(settings: NcloudSettings): NcloudRoute[] {
  const route = (
    method: string,
    path: RegExp,
    needs: 'view' | 'manage',
    handle: (call: NcloudCall) => Answered,
  ): NcloudRoute => ({ service: 'subaccount', version: 1, method, path, needs, handle });
  const keysPath = /^\/sub-accounts\/([^/]+)\/access-keys$/;

  const ofOwner = (work: (owner: NcloudSubAccount, call: NcloudCall) => Answered) => (call: NcloudCall) => {
    const owner = settings.state.subAccounts.get(call.parts[0] ?? '');
    return owner ? work(owner, call) : serviceError(401, 30, 'Nonexistent account');
  };
  const ofKey = (
    work: (owner: NcloudSubAccount, key: NcloudKey, members: Record<string, unknown>) => Answered,
  ) =>
    ofOwner((owner, { request }) => {
      const members = membersOf(request);
      if (typeof members?.['accessKey'] !== 'string') return serviceError(400, 9002, 'Invalid parameter');
      const key = owner.keys.get(members['accessKey']);
      return key ? work(owner, key, members) : serviceError(400, 904, 'Nonexistent access key');
    });

  return [
    route('GET', /^\/sub-accounts$/, 'view', (call) => list(call, settings)),
    route(
      'GET',
      /^\/sub-accounts\/([^/]+)$/,
      'view',
      ofOwner((owner) => ({ status: 200, body: wholly(owner) })),
    ),
    route(
      'GET',
      keysPath,
      'view',
      ofOwner(({ keys }) => ({ status: 200, body: [...keys.values()].map(shownKey) })),
    ),
    route(
      'POST',
      keysPath,
      'manage',
      ofOwner((owner) => {
        const { subAccountId } = owner;
        if (activeKeys(owner) >= settings.mostKeys)
          return serviceError(409, 9012, 'The number of access keys is exceeded');
        const { accessKey, secretKey, createdMs } = settings.state.addKey(subAccountId);
        return { status: 200, body: { accessKey, keySecret: secretKey, createTime: timeText(createdMs) } };
      }),
    ),
    route(
      'PUT',
      keysPath,
      'manage',
      ofKey((owner, key, { active }) => {
        if (typeof active !== 'boolean') return serviceError(400, 9002, 'Invalid parameter');
        if (active && !key.active && activeKeys(owner) >= settings.mostKeys)
          return serviceError(409, 9012, 'The number of access keys is exceeded');
        key.active = active;
        return { status: 200, body: { success: true } };
      }),
    ),
    route(
      'DELETE',
      keysPath,
      'manage',
      ofKey((owner, key) => {
        // Which code it would be is assumed.
        if (settings.needsSuspending && key.active)
          return serviceError(400, 9010, 'The access key must be suspended first');
        settings.state.deleteKey(owner, key);
        return { status: 200, body: { success: true } };
      }),
    ),
  ];
}

function list({ request: { query } }: NcloudCall, { state }: NcloudSettings): Answered {
  const page = numberIn(query, 'page', { least: 0, usual: 0 });
  const size = numberIn(query, 'size', { least: 1, usual: 10 });
  const column = query.get('searchColumn');
  const word = query.get('searchWord') ?? '';
  if (page === undefined || size === undefined) return serviceError(400, 9002, 'Invalid parameter');
  if (column !== null && column !== 'loginId' && column !== 'name' && column !== 'subAccountNo')
    return serviceError(400, 9002, 'Invalid parameter');
  const found = [...state.subAccounts.values()].filter(
    (one) => column === null || String(one[column]).includes(word),
  );
  const totalPages = Math.ceil(found.length / size);
  const body = {
    page,
    totalPages,
    totalItems: found.length,
    hasPrevious: page > 0,
    hasNext: page + 1 < totalPages,
    isFirst: page === 0,
    isLast: page + 1 >= totalPages,
    items: found.slice(page * size, (page + 1) * size).map(shown),
  };
  return { status: 200, body };
}

const shownKey = ({ accessKey, active, createdMs }: NcloudKey) => ({
  accessKey,
  active,
  createTime: timeText(createdMs),
});

const shown = (one: NcloudSubAccount) => ({
  subAccountId: one.subAccountId,
  subAccountNo: one.subAccountNo,
  loginId: one.loginId,
  name: one.name,
  email: one.email,
  memo: one.memo,
  active: one.active,
  canAPIGatewayAccess: one.canAPIGatewayAccess,
  canConsoleAccess: one.canConsoleAccess,
  needPasswordReset: false,
  useApiAllowSource: one.useApiAllowSource,
  apiAllowSources: one.apiAllowSources,
  useConsolePermitIp: false,
  consolePermitIps: [],
  createTime: timeText(one.createdMs),
});

const wholly = (one: NcloudSubAccount) => ({
  ...shown(one),
  groups: [],
  policies: one.policies.map((policyName) => ({
    policyId: policyName.toLowerCase(),
    policyName,
    policyType: 'SYSTEM_MANAGED',
  })),
});

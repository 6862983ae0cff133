import { membersOf } from './members-of.js';
import {
  activeKeys,
  numberIn,
  timeText,
  type NcloudCall,
  type NcloudRoute,
  type NcloudSettings,
} from './ncloud-call.js';
import { standardError } from './ncloud-errors.js';
import type { NcloudKey, NcloudSubAccount } from './ncloud-state.js';
import type { Answered } from './stand-in.js';

/** Version 2 of Sub Account (api.ncloud-docs.com/docs/pub-iam-v2-overview): the key is in the path. */
export function subAccountRoutesV2(settings: NcloudSettings): NcloudRoute[] {
  const { state, mostKeys, needsSuspending } = settings;
  const route = (
    method: string,
    path: RegExp,
    needs: 'view' | 'manage',
    handle: (call: NcloudCall) => Answered,
  ): NcloudRoute => ({ service: 'subaccount', version: 2, method, path, needs, handle });
  const keysPath = /^\/sub-accounts\/([^/]+)\/access-keys$/;

  const ofOwner = (work: (owner: NcloudSubAccount, call: NcloudCall) => Answered) => (call: NcloudCall) => {
    const owner = state.subAccounts.get(call.parts[0] ?? '');
    return owner ? work(owner, call) : missing('SubAccountNotFound', 'The sub account does not exist.');
  };
  const ofKey = (work: (owner: NcloudSubAccount, key: NcloudKey, call: NcloudCall) => Answered) =>
    ofOwner((owner, call) => {
      const key = owner.keys.get(call.parts[1] ?? '');
      return key ? work(owner, key, call) : missing('AccessKeyNotFound', 'The access key does not exist.');
    });

  return [
    route('GET', /^\/sub-accounts$/, 'view', (call) => list(call, settings)),
    route(
      'GET',
      /^\/sub-accounts\/([^/]+)$/,
      'view',
      ofOwner((owner) => ({ status: 200, body: shown(owner) })),
    ),
    route(
      'GET',
      keysPath,
      'view',
      ofOwner(({ keys }) => ({ status: 200, body: { accessKeys: [...keys.values()].map(shownKey) } })),
    ),
    route(
      'POST',
      keysPath,
      'manage',
      ofOwner((owner) => {
        if (activeKeys(owner) >= mostKeys) return tooMany();
        const { subAccountId } = owner;
        const { accessKey, secretKey, createdMs } = state.addKey(subAccountId);
        return {
          status: 201,
          body: { accessKey, createdDateTime: timeText(createdMs), keySecret: secretKey },
        };
      }),
    ),
    route(
      'POST',
      /^\/sub-accounts\/([^/]+)\/access-keys\/([^/]+)\/change-status$/,
      'manage',
      ofKey((owner, key, { request }) => {
        const active = membersOf(request)?.['active'];
        if (typeof active !== 'boolean') return badRequest('It must be true or false.', 'active');
        if (active && !key.active && activeKeys(owner) >= mostKeys) return tooMany();
        key.active = active;
        return { status: 204 };
      }),
    ),
    route(
      'DELETE',
      /^\/sub-accounts\/([^/]+)\/access-keys\/([^/]+)$/,
      'manage',
      ofKey((owner, key) => {
        // The code is assumed.
        if (needsSuspending && key.active)
          return standardError(409, 'Conflict', 'The access key must be suspended first.');
        state.deleteKey(owner, key);
        return { status: 204 };
      }),
    ),
  ];
}

const badRequest = (message: string, field: string): Answered =>
  standardError(400, 'BadRequest', message, field);

const missing = (errorCode: string, message: string): Answered => standardError(404, errorCode, message);
const tooMany = (): Answered =>
  standardError(400, 'LimitExceeded', 'The request exceeds the resource limit.');

function list({ request: { query } }: NcloudCall, { state }: NcloudSettings): Answered {
  const pageNo = numberIn(query, 'pageNo', { least: 0, usual: 0 });
  const pageSize = numberIn(query, 'pageSize', { least: 1, most: 100, usual: 20 });
  if (pageNo === undefined) return badRequest('It is out of range.', 'pageNo');
  if (pageSize === undefined) return badRequest('It is out of range.', 'pageSize');
  const all = [...state.subAccounts.values()];
  const subAccounts = all.slice(pageNo * pageSize, (pageNo + 1) * pageSize).map(listed);
  const totalPages = Math.ceil(all.length / pageSize);
  return { status: 200, body: { totalElements: all.length, totalPages, pageNo, pageSize, subAccounts } };
}

const shownKey = ({ accessKey, active, createdMs }: NcloudKey) => ({
  accessKey,
  active,
  createdDateTime: timeText(createdMs),
});

/** A list has no more of it than this. */
const listed = (one: NcloudSubAccount) => ({
  subAccountId: one.subAccountId,
  loginId: one.loginId,
  name: one.name,
  consoleAccessible: one.canConsoleAccess,
  apiGatewayAccessible: one.canAPIGatewayAccess,
  active: one.active,
  createdDateTime: timeText(one.createdMs),
});

/** The names of what restricts it are assumed to be those of version 1. */
const shown = (one: NcloudSubAccount) => ({
  ...listed(one),
  subAccountNo: one.subAccountNo,
  email: one.email,
  memo: one.memo,
  useApiAllowSource: one.useApiAllowSource,
  apiAllowSources: one.apiAllowSources,
});

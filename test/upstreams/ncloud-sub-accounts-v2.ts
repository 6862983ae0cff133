import { membersOf } from './members-of.js';
import {
  commonMembers,
  numberIn,
  timeText,
  type NcloudCall,
  type NcloudRoute,
  type NcloudSettings,
} from './ncloud-call.js';
import { standardError } from './ncloud-errors.js';
import type { NcloudKey, NcloudSubAccount } from './ncloud-state.js';
import type { Answered } from './stand-in.js';

/** Version 2 of Sub Account (api-gov.ncloud-docs.com/docs/gov-iam-v2-overview): the key is in the path. */
export function subAccountRoutesV2(settings: NcloudSettings): NcloudRoute[] {
  const { state, mostKeys, needsSuspending } = settings;
  const route = (
    method: string,
    path: RegExp,
    needs: 'view' | 'manage',
    handle: (call: NcloudCall) => Answered,
  ): NcloudRoute => ({ service: 'subaccount', version: 2, method, path, needs, handle });
  const keysPath = /^\/sub-accounts\/([^/]+)\/access-keys$/;

  // What a path names and is not there answers 400.
  const ofOwner = (work: (owner: NcloudSubAccount, call: NcloudCall) => Answered) => (call: NcloudCall) => {
    const owner = state.subAccounts.get(call.parts[0] ?? '');
    return owner ? work(owner, call) : badRequest('The sub account does not exist.', 'subAccountId');
  };
  const ofKey = (work: (owner: NcloudSubAccount, key: NcloudKey, call: NcloudCall) => Answered) =>
    ofOwner((owner, call) => {
      const key = owner.keys.get(call.parts[1] ?? '');
      return key ? work(owner, key, call) : badRequest('The access key does not exist.', 'accessKey');
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
      ofOwner(({ subAccountId, keys }) => {
        // The code at the limit is assumed.
        if (keys.size >= mostKeys)
          return standardError(409, 'Conflict', 'The number of access keys is exceeded.');
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
      ofKey((_, key, { request }) => {
        const active = membersOf(request)?.['active'];
        if (typeof active !== 'boolean') return badRequest('It must be true or false.', 'active');
        key.active = active;
        return { status: 204 };
      }),
    ),
    route(
      'DELETE',
      /^\/sub-accounts\/([^/]+)\/access-keys\/([^/]+)$/,
      'manage',
      ofKey((owner, key) => {
        // The code, here too, is assumed.
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

/** That pages count from 1, and the names of what is answered, are assumed: the parameters alone are published. */
function list({ request: { query } }: NcloudCall, { state }: NcloudSettings): Answered {
  const pageNo = numberIn(query, 'pageNo', { least: 1, usual: 1 });
  const pageSize = numberIn(query, 'pageSize', { least: 1, most: 100, usual: 20 });
  if (pageNo === undefined) return badRequest('It is out of range.', 'pageNo');
  if (pageSize === undefined) return badRequest('It is out of range.', 'pageSize');
  const all = [...state.subAccounts.values()];
  const subAccounts = all.slice((pageNo - 1) * pageSize, pageNo * pageSize).map(shown);
  return { status: 200, body: { totalCount: all.length, pageNo, pageSize, subAccounts } };
}

const shownKey = ({ accessKey, active, createdMs }: NcloudKey) => ({
  accessKey,
  active,
  createdDateTime: timeText(createdMs),
});

const shown = (one: NcloudSubAccount) => ({
  ...commonMembers(one),
  createdDateTime: timeText(one.createdMs),
});

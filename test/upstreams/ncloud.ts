import { mayDo, type NcloudRoute, type NcloudSettings } from './ncloud-call.js';
import { gatewayError, serviceError, standardError } from './ncloud-errors.js';
import { ncloudSigner } from './ncloud-signature.js';
import { ncloudState, type NcloudKey, type NcloudState, type NcloudSubAccount } from './ncloud-state.js';
import { stsRoutes } from './ncloud-sts.js';
import { subAccountRoutesV1 } from './ncloud-sub-accounts-v1.js';
import { subAccountRoutesV2 } from './ncloud-sub-accounts-v2.js';
import { openStandIn, type Answered, type Arrived, type StandIn } from './stand-in.js';

export interface NcloudOptions {
  /** The only version of Sub Account that is served; both where left out. */
  version?: 1 | 2;
  /** The clock, in milliseconds since 1970. */
  clockMs?: () => number;
  /** How many permanent keys a sub account may have; 2 is assumed, for the number is not published. */
  mostKeys?: number;
  /** Whether an active key is kept from deletion; not settled by the vendor's pages. */
  needsSuspending?: boolean;
  /** The code that each one-time-code device shows, by its serial number. */
  mfaDevices?: Readonly<Record<string, string>>;
}

export interface Ncloud extends StandIn {
  /** A key of a sub account that may manage all of them. */
  readonly manager: NcloudKey;
  /** The key of the main account, that no call lists. */
  readonly main: NcloudKey;
  /** By their ids. */
  readonly subAccounts: ReadonlyMap<string, NcloudSubAccount>;
  /** The codes that devices show; tests may change them. */
  readonly mfaDevices: Map<string, string>;
  addSubAccount: NcloudState['addSubAccount'];
  /** Gives a sub account a key more, whatever the limit. */
  addKey: NcloudState['addKey'];
  /** Whether calls that are signed with this pair come through now. */
  accepts(accessKey: string, secretKey: string): boolean;
  /** So many sub accounts more, with a key each. */
  seed(count: number): NcloudKey[];
}

/**
 * A server in the place of NAVER Cloud's API Gateway, with STS (`/sts/api/v1`, or without `/sts`) and versions 1 and 2
 * of Sub Account (`/subaccount/api/v1`, or without) behind it. The signature covers the path as it was sent.
 */
export async function startNcloud(options: NcloudOptions = {}): Promise<Ncloud> {
  const { version, clockMs: now = () => Date.now(), mostKeys = 2, needsSuspending = false } = options;
  const mfaDevices = new Map(Object.entries(options.mfaDevices ?? {}));
  const state = ncloudState(now);
  const settings: NcloudSettings = { state, now, mostKeys, needsSuspending, mfaDevices };
  const routes = [
    ...stsRoutes(settings),
    ...(version !== 2 ? subAccountRoutesV1(settings) : []),
    ...(version !== 1 ? subAccountRoutesV2(settings) : []),
  ];
  const managing = state.addSubAccount('keyway-manager', { policies: ['NCP_SUB_ACCOUNT_MANAGER'] });
  const manager = state.addKey(managing.subAccountId);
  const standIn = await openStandIn((request) => answer(request, routes, settings));
  return {
    ...standIn,
    manager,
    main: state.main,
    subAccounts: state.subAccounts,
    mfaDevices,
    addSubAccount: state.addSubAccount,
    addKey: state.addKey,
    accepts: (accessKey, secretKey) => {
      const key = state.keys.get(accessKey);
      return key !== undefined && key.secretKey === secretKey && state.isUsable(key);
    },
    seed: (count) =>
      Array.from({ length: count }, (_, index) =>
        state.addKey(state.addSubAccount(`seeded-${index + 1}`).subAccountId),
      ),
  };
}

function answer(request: Arrived, routes: NcloudRoute[], { state, now }: NcloudSettings): Answered {
  const found = routeOf(request, routes);
  if (!found) return gatewayError('300');
  const { route, parts } = found;
  const signer = ncloudSigner(request, (accessKey) => state.keys.get(accessKey)?.secretKey, now());
  const key = signer === undefined ? undefined : state.keys.get(signer);
  if (!key) return gatewayError('200');
  if (route.service === 'sts' && state.isExpired(key))
    return serviceError(404, 404, 'The temporary credential does not exist or has expired.');
  // Every call comes from loopback. Which code it would be is assumed.
  if (!state.isUsable(key) || !state.isLetInFrom(key, '127.0.0.1')) return gatewayError('200');
  if (route.service === 'sts' && !/^application\/json\b/i.test(request.headers['content-type'] ?? ''))
    return gatewayError('100');
  if (!mayDo(route.needs, state.subAccounts.get(key.subAccountId ?? '')))
    return route.version === 2
      ? standardError(403, 'Forbidden', 'The sub account has no permission.')
      : gatewayError('210');
  return route.handle({ request, key, parts });
}

function routeOf({ method, path }: Arrived, routes: NcloudRoute[]) {
  const [, service, version, rest = ''] = /^(?:\/(sts|subaccount))?\/api\/v([12])(\/.*)$/.exec(path) ?? [];
  for (const route of routes) {
    if (route.method !== method || String(route.version) !== version) continue;
    if (service !== undefined && route.service !== service) continue;
    const match = route.path.exec(rest);
    if (match) return { route, parts: match.slice(1) };
  }
  return undefined;
}

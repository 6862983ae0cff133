import { membersOf } from './members-of.js';
import { timeText, type NcloudCall, type NcloudRoute, type NcloudSettings } from './ncloud-call.js';
import { gatewayError, serviceError } from './ncloud-errors.js';
import type { NcloudKey } from './ncloud-state.js';
import type { Answered } from './stand-in.js';

/** STS: temporary keys (api.ncloud-docs.com/docs/en/management-sts). */
export function stsRoutes(settings: NcloudSettings): NcloudRoute[] {
  const route = (
    method: string,
    path: RegExp,
    handle: (call: NcloudCall, settings: NcloudSettings) => Answered,
  ): NcloudRoute => ({
    service: 'sts',
    version: 1,
    method,
    path,
    handle: (call) => handle(call, settings),
  });
  return [
    route('POST', /^\/credentials$/, create),
    route('GET', /^\/credentials$/, describeSelf),
    route('GET', /^\/caller-identity$/, callerIdentity),
  ];
}

function create({ request, key }: NcloudCall, { state, mfaDevices }: NcloudSettings): Answered {
  // Only keys of sub accounts create; it is assumed that temporary ones do not.
  if (key.subAccountId === null || key.temporary) return gatewayError('210');
  const members = membersOf(request);
  if (!members) return serviceError(400, 400, 'The body is not valid.');
  const { durationSec = 3600, serialNumber, tokenCode } = members;
  const seconds = wholeNumber(durationSec);
  if (seconds === undefined || seconds < 600 || seconds > 43_200)
    return serviceError(400, 400, `durationSec valid range: 600 - 43200 : [${JSON.stringify(durationSec)}]`);
  const useMfa = serialNumber !== undefined || tokenCode !== undefined;
  if (useMfa) {
    const code = typeof serialNumber === 'string' ? mfaDevices.get(serialNumber) : undefined;
    // As integers: zeros in front are not told apart.
    if (code === undefined || wholeNumber(tokenCode) !== Number(code))
      return serviceError(401, 401, 'The one-time code is not valid.');
  }
  return { status: 200, body: shown(state.addTemporaryKey(key, seconds, useMfa)) };
}

const describeSelf = ({ key }: NcloudCall): Answered => ({ status: 200, body: shown(key) });

const callerIdentity = ({ key }: NcloudCall): Answered => ({
  status: 200,
  body: { id: key.subAccountId ?? 'main-account' },
});

/** A temporary key comes with its secret, every time. */
const shown = ({ accessKey, secretKey, createdMs, temporary }: NcloudKey) => ({
  accessKey,
  ...(temporary && { keySecret: secretKey }),
  createTime: timeText(createdMs),
  ...(temporary && { expireTime: timeText(temporary.expiresMs), useMfa: temporary.useMfa }),
});

/** A number, or the digits of one; the page's own example sends text. */
function wholeNumber(value: unknown): number | undefined {
  if (typeof value === 'string' && /^\d{1,9}$/.test(value)) return Number(value);
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}

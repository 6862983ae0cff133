import { badInput } from '../../errors.js';
import { Secret } from '../../secret.js';
import { landscapeWayIn } from './landscape.js';
import { ncloudRegion, veracodeRegion } from '../region.js';
import type { StoreConnectionInput } from '../store.input.js';
import { StoreKind } from '../store.js';
import { veracodeWayIn } from './veracode.js';

/** Where a store is, and what Keyway proves itself with there. */
export interface StoreConnection {
  kind: StoreKind;
  addresses: Record<string, string>;
  settings: Record<string, string | number | string[]>;
  secrets: Record<string, Secret>;
  region: string | null;
  /** What Keyway proves itself with, as credentials; the usual way in is the first. */
  own: readonly OwnKey[];
}

/** A credential that Keyway reaches a store with: its kind, and its public half. */
export interface OwnKey {
  kind: 'ACCESS_KEY' | 'PASSWORD' | 'TOKEN';
  accessKey: string | null;
}

/**
 * A connection as it was given. Its secrets are hidden from here on.
 * @param local whether an address may be one of http.
 * @throws BAD_USER_INPUT, naming the field, for an address that is more than a place, and for other than one way in.
 */
export function connectionOf(input: StoreConnectionInput, local: boolean): StoreConnection {
  const { landscape, seqera, veracode, apinizer, ncloud } = input;
  if (landscape) {
    const { settings, secrets, own } = landscapeWayIn(landscape);
    const endpoint = addressIn(landscape.endpoint, 'landscape.endpoint', local);
    return { kind: StoreKind.LANDSCAPE, addresses: { endpoint }, settings, secrets, region: null, own };
  }
  if (seqera) {
    return {
      kind: StoreKind.SEQERA,
      addresses: { endpoint: addressIn(seqera.endpoint, 'seqera.endpoint', local) },
      settings: listed('workspaces', seqera.workspaces),
      secrets: { token: Secret.of(seqera.token) },
      region: null,
      own: [{ kind: 'TOKEN', accessKey: null }],
    };
  }
  if (veracode) {
    const { settings, secrets, own } = veracodeWayIn(veracode);
    const endpoint = addressIn(veracode.endpoint, 'veracode.endpoint', local);
    const region = veracodeRegion(endpoint, veracode.apiId);
    return { kind: StoreKind.VERACODE, addresses: { endpoint }, settings, secrets, region, own };
  }
  if (apinizer) {
    return {
      kind: StoreKind.APINIZER,
      addresses: { endpoint: addressIn(apinizer.endpoint, 'apinizer.endpoint', local) },
      settings: {
        ...listed('projects', apinizer.projects),
        ...(apinizer.adminProject && { adminProject: apinizer.adminProject }),
      },
      secrets: { token: Secret.of(apinizer.token) },
      region: null,
      own: [{ kind: 'TOKEN', accessKey: null }],
    };
  }
  if (ncloud) {
    const { accessKey } = ncloud;
    const endpoint = addressIn(ncloud.subAccountEndpoint, 'ncloud.subAccountEndpoint', local);
    return {
      kind: StoreKind.NCLOUD,
      addresses: { endpoint, sts: addressIn(ncloud.stsEndpoint, 'ncloud.stsEndpoint', local) },
      settings: { accessKey, subAccountApiVersion: ncloud.subAccountApiVersion ?? 1 },
      secrets: { secretKey: Secret.of(ncloud.secretKey) },
      region: ncloudRegion(endpoint),
      own: [{ kind: 'ACCESS_KEY', accessKey }],
    };
  }
  throw badInput('input.connection', 'must be exactly one kind of store');
}

/** The path of the field that one of a connection's addresses was given in. */
export const fieldOfAddress = ({ kind }: Pick<StoreConnection, 'kind'>, name: string): string =>
  `input.connection.${kind.toLowerCase()}.${(kind === StoreKind.NCLOUD && ncloudFields[name]) || name}`;

const ncloudFields: Record<string, string> = { endpoint: 'subAccountEndpoint', sts: 'stsEndpoint' };

/** The scalar has seen to it that it is http or https, and names nobody. */
function addressIn(address: string, field: string, local: boolean): string {
  const path = `input.connection.${field}`;
  const { protocol } = new URL(address);
  // An empty query or fragment is one too: the parser does not tell of it.
  if (/[?#]/.test(address)) throw badInput(path, 'must have no query and no fragment');
  if (protocol !== 'https:' && !local) throw badInput(path, 'must start with https://');
  return address;
}

const listed = (name: string, values: string[] | null | undefined): Record<string, string[]> =>
  values ? { [name]: [...new Set(values)] } : {};

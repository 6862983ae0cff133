import { badInput } from '../../errors.js';
import { StoreKind } from '../store.js';
import { apinizerConnection } from './apinizer.js';
import type { StoreConnectionInput } from './connection.input.js';
import { landscapeConnection } from './landscape.js';
import { ncloudAddressFields, ncloudConnection } from './ncloud.js';
import { seqeraConnection } from './seqera.js';
import { veracodeConnection } from './veracode.js';
import type { StoreConnection } from './way-in.js';

/**
 * A connection as it was given. Its secrets are hidden from here on.
 * @param local whether an address may be one of http.
 * @throws BAD_USER_INPUT, naming the field, for an address that is more than a place, and for other than one way in.
 */
export function storeConnectionOf(input: StoreConnectionInput, local: boolean): StoreConnection {
  const { landscape, seqera, veracode, apinizer, ncloud } = input;
  if (landscape) return landscapeConnection(landscape, local);
  if (seqera) return seqeraConnection(seqera, local);
  if (veracode) return veracodeConnection(veracode, local);
  if (apinizer) return apinizerConnection(apinizer, local);
  if (ncloud) return ncloudConnection(ncloud, local);
  throw badInput('input.connection', 'must be exactly one kind of store');
}

/** The path of the field that one of a connection's addresses was given in. */
export const fieldOfAddress = ({ kind }: Pick<StoreConnection, 'kind'>, name: string): string =>
  `input.connection.${kind.toLowerCase()}.${(kind === StoreKind.NCLOUD && ncloudAddressFields[name]) || name}`;

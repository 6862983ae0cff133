import { mintAccessKey, mintPassword, mintToken } from '../keyring/token.js';
import type { Connector, Minted, Wish } from './connector.js';

/**
 * Keyway's own store. It mints secrets, and calls nobody: its credentials are rows of Keyway's own, so for most verbs
 * there is nothing left to do outside.
 */
export const builtIn: Connector = {
  kind: 'BUILT_IN',
  rotation: { chosenBy: 'keyway', previous: 'lives' },
  keeps: ['allowedIps', 'baseUrl', 'enabled', 'expiresAt'],
  check: async () => undefined,
  list: async function* () {
    // Nothing is outside that Keyway does not know of.
  },
  create: async (_, { wish }) => ({ externalId: '', scope: '', minted: mint(wish) }),
  update: async () => ({}),
  rotate: async (_, __, wish) => mint(wish),
  revoke: async () => undefined,
  delete: async () => undefined,
  reveal: async () => undefined,
  issue: async () => mint({ kind: 'ACCESS_KEY', prefix: null, format: null, accessKey: null }),
};

/** Makes a secret here: the one that the wish names, or a random one. */
export function mint(wish: Wish): Minted {
  switch (wish.kind) {
    case 'ACCESS_KEY': {
      const { accessKey, secret } = mintAccessKey({
        ...(wish.prefix !== null && { prefix: wish.prefix }),
        ...(wish.format !== null && { format: wish.format }),
        ...(wish.accessKey !== null && { accessKey: wish.accessKey }),
      });
      return { accessKey, secret, keys: null, proof: secret };
    }
    case 'TOKEN': {
      const { id, token } = mintToken(wish.tokenKind, {
        ...(wish.prefix !== null && { prefix: wish.prefix }),
        ...(wish.accessKey !== null && { id: wish.accessKey }),
      });
      return { accessKey: id, secret: token, keys: null, proof: token };
    }
    case 'PASSWORD': {
      const password = wish.password ?? mintPassword();
      return { accessKey: wish.accessKey, secret: password, keys: null, proof: password };
    }
    case 'PROVIDER_KEYS':
      return { accessKey: null, secret: null, keys: wish.keys, proof: null };
  }
}

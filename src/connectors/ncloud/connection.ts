import { connecting } from '../connection.js';
import { ncloudRegion } from './region.js';

/** The pair of a sub account that may manage others, and where the two services are. */
export const ncloudConnection = connecting({
  member: 'ncloud',
  asks: {
    stsEndpoint: { is: 'address', named: 'sts' },
    subAccountEndpoint: { is: 'address', named: 'endpoint' },
    accessKey: { is: 'word' },
    secretKey: { is: 'secret' },
    subAccountApiVersion: {
      is: 'number',
      of: [1, 2],
      optional: true,
      usually: 1,
      about: 'Which version of its API: 1 or 2.',
    },
  },
  keep: ({ subAccountEndpoint, accessKey, secretKey, subAccountApiVersion = 1 }) => ({
    settings: { accessKey, subAccountApiVersion },
    secrets: { secretKey },
    region: ncloudRegion(subAccountEndpoint),
    own: [{ kind: 'ACCESS_KEY', accessKey }],
  }),
});

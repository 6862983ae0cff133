import { connecting } from '../connection.js';
import { ncloudRegion } from './region.js';

/** The pair of a sub account that may manage others, and where the two services are. */
export const ncloudConnection = connecting({
  member: 'ncloud',
  system: 'NAVER Cloud: up to two access keys for each of its sub accounts, and temporary ones.',
  about: 'How Keyway reaches NAVER Cloud.',
  asks: {
    stsEndpoint: {
      is: 'address',
      named: 'sts',
      about: 'The address of the STS API, for temporary credentials.',
    },
    subAccountEndpoint: { is: 'address', named: 'endpoint', about: 'The address of the Sub Account API.' },
    accessKey: { is: 'word', about: 'The access key of a sub account that may manage sub accounts.' },
    secretKey: { is: 'secret', about: 'The secret key that belongs to `accessKey`.' },
    subAccountApiVersion: {
      is: 'number',
      of: [1, 2],
      optional: true,
      usually: 1,
      about: 'The version of the Sub Account API: 1 or 2.',
    },
  },
  keep: ({ subAccountEndpoint, accessKey, secretKey, subAccountApiVersion = 1 }) => ({
    settings: { accessKey, subAccountApiVersion },
    secrets: { secretKey },
    region: ncloudRegion(subAccountEndpoint),
    own: [{ kind: 'ACCESS_KEY', accessKey }],
  }),
});

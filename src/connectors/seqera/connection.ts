import { connecting } from '../connection.js';

/** A token of the platform, and the workspaces to look into. */
export const seqeraConnection = connecting({
  member: 'seqera',
  asks: {
    endpoint: { is: 'address' },
    token: { is: 'secretWord', about: 'An access token of the platform.' },
    workspaces: {
      is: 'lines',
      optional: true,
      about: 'The ids of the workspaces to look into; the personal space alone, where left out.',
    },
  },
  keep: ({ token, workspaces }) => ({
    settings: { ...(workspaces && { workspaces }) },
    secrets: { token },
    region: null,
    own: [{ kind: 'TOKEN', accessKey: null }],
  }),
});

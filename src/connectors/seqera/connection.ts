import { connecting } from '../connection.js';

/** A token of the platform, and the workspaces to look into. */
export const seqeraConnection = connecting({
  member: 'seqera',
  system: 'Seqera Platform: the keys of providers in its workspaces.',
  about: 'How Keyway reaches Seqera Platform.',
  asks: {
    endpoint: { is: 'address', about: 'The address of the API.' },
    token: { is: 'secretWord', about: 'A personal access token of the platform.' },
    workspaces: {
      is: 'lines',
      optional: true,
      about:
        'The ids of the workspaces to list credentials of; only the personal workspace of the owner of the token, if left out.',
    },
  },
  keep: ({ token, workspaces }) => ({
    settings: { ...(workspaces && { workspaces }) },
    secrets: { token },
    region: null,
    own: [{ kind: 'TOKEN', accessKey: null }],
  }),
});

import { connecting } from '../connection.js';

/** A token of the gateway's manager, and the projects to look into. */
export const apinizerConnection = connecting({
  member: 'apinizer',
  asks: {
    endpoint: { is: 'address' },
    token: { is: 'secretWord', about: 'A personal access token.' },
    projects: { is: 'lines', optional: true, about: 'The names of the projects to look into.' },
    adminProject: {
      is: 'line',
      optional: true,
      usually: 'admin',
      about: 'The name of the project that also shows what is in all others: each user is listed in its own.',
    },
  },
  keep: ({ token, projects, adminProject }) => ({
    settings: { ...(projects && { projects }), ...(adminProject !== undefined && { adminProject }) },
    secrets: { token },
    region: null,
    own: [{ kind: 'TOKEN', accessKey: null }],
  }),
});

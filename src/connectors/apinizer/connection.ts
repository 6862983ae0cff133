import { connecting } from '../connection.js';

/** A token of the gateway's manager, and the projects to look into. */
export const apinizerConnection = connecting({
  member: 'apinizer',
  system: 'Apinizer: the users of its API gateway, with their passwords.',
  about: 'How Keyway reaches Apinizer.',
  asks: {
    endpoint: { is: 'address', about: 'The address of the API manager.' },
    gatewayEndpoint: {
      is: 'address',
      named: 'gateway',
      optional: true,
      about:
        'The address of the gateway, where the users present their passwords: the `endpoint` of what is issued. Keyway never calls it.',
    },
    token: { is: 'secretWord', about: 'A personal access token.' },
    projects: {
      is: 'lines',
      optional: true,
      about: 'The names of the projects to list users of; all that the token may see, if left out.',
    },
    adminProject: {
      is: 'line',
      optional: true,
      usually: 'admin',
      about:
        'The name of the project that also lists the users of all other projects. Keyway records each user in its own project, once.',
    },
  },
  keep: ({ token, projects, adminProject }) => ({
    settings: { ...(projects && { projects }), ...(adminProject !== undefined && { adminProject }) },
    secrets: { token },
    region: null,
    own: [{ kind: 'TOKEN', accessKey: null }],
  }),
});

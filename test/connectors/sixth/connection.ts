import { connecting, connectionFault } from '../../../src/connectors/connection.js';

const member = 'sixth';

/** A question of each kind. */
export const sixthConnection = connecting({
  member,
  about: 'A made-up vendor.',
  asks: {
    keysEndpoint: { is: 'address', named: 'endpoint' },
    user: { is: 'word' },
    token: { is: 'secretWord', about: 'What it knows Keyway by.' },
    pin: { is: 'secret', optional: true },
    contact: { is: 'email', optional: true },
    site: { is: 'line', optional: true, usually: 'main' },
    drawers: { is: 'lines', optional: true },
    edition: { is: 'number', of: [1, 2], optional: true, usually: 2 },
  },
  keep: ({ user, token, pin, contact, site, drawers, edition }) => {
    if (pin?.expose() === '0000') throw connectionFault(member, 'pin', 'must be another than 0000');
    return {
      settings: {
        user,
        ...(contact !== undefined && { contact }),
        ...(site !== undefined && { site }),
        ...(drawers && { drawers }),
        ...(edition !== undefined && { edition }),
      },
      secrets: { token, ...(pin && { pin }) },
      region: 'nowhere',
      own: [{ kind: 'TOKEN', accessKey: null }],
    };
  },
});

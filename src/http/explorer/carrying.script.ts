/**
 * What the page carries from one example's answer to the variables of those that follow, as JavaScript. Only a value
 * that still is an ellipsis is filled in, as the request goes out: what a person typed is sent as it is, and nothing is
 * written into the editor, which the browser keeps. Ids outlast a reload of the tab; secrets never leave its memory.
 */
export const carrying = String.raw`
/** @param demo whether the stores are stand-ins: of others no credential is picked, for it would be changed. */
const carrier = (session, demo) => {
  const stored = 'keyway:ids';
  const placeholder = /^(\w{0,8}|https:\/\/)…$/;
  const made = [
    ['account', 'CreateAccount', 'createAccount.account.id'],
    ['owner', 'CreateSubAccount', 'createAccount.account.id'],
    ['project', 'CreateProject', 'createProject.project.id'],
    ['role', 'CreateRole', 'createRole.role.id'],
    ['grant', 'GrantRole', 'grantRole.grant.id'],
    ['credential', 'CreateAccessKey', 'createCredential.credential.id'],
    ['accessKey', 'CreateAccessKey', 'createCredential.issued.accessKey'],
    ['secret', 'CreateAccessKey', 'createCredential.issued.secret'],
    ['secret', 'RotateCredential', 'rotateCredential.issued.secret'],
    ['secret', 'RevealCredential', 'revealCredential.issued.secret'],
    ['token', 'CreateToken', 'createCredential.issued.secret'],
    ['password', 'CreatePassword', 'createCredential.issued.secret'],
    ['temporary', 'IssueTemporary', 'issueTemporaryCredential.credential.id'],
    ['recoveryCode', 'ConfirmMfa', 'confirmMfa.recoveryCodes.0'],
    ['store', 'ConnectStore', 'createStore.store.id'],
    // By name: what Keyway reaches the demo's store with is not the first.
    ...(demo ? [['outside', 'StoreCredentials', 'credentials.nodes.0.id']] : []),
  ];
  const known = new Map(Object.entries(JSON.parse(session.getItem(stored) ?? '{}')));
  const idOf = (variable) => made.some(([name, , path]) => name === variable && path.endsWith('.id'));

  /** The variables as they are to be sent, and the names of those filled in. */
  function fill(variables) {
    const filled = [];
    const problems = [];
    const values = Object.entries(variables ?? {}).map(([name, value]) => {
      if (typeof value !== 'string' || !placeholder.test(value)) return [name, value];
      if (known.has(name)) {
        filled.push(name);
        return [name, known.get(name)];
      }
      const [, from] = made.find(([variable]) => variable === name) ?? [];
      problems.push(
        '“' + name + '” is still “' + value + '”: ' +
          (from ? 'run ' + from + ' first, whose answer fills it in, or type it.' : 'type it.'),
      );
      return [name, value];
    });
    return { variables: Object.fromEntries(values), filled, problems };
  }

  /** Takes out of an answer what later examples ask for. */
  function keep(operation, data) {
    for (const [name, from, path] of made) {
      if (from !== operation) continue;
      const value = path.split('.').reduce((within, key) => within?.[key], data);
      if (typeof value === 'string') known.set(name, value);
    }
    session.setItem(stored, JSON.stringify(Object.fromEntries([...known].filter(([name]) => idOf(name)))));
  }

  function forget() {
    known.clear();
    session.removeItem(stored);
  }

  return { fill, keep, forget };
};
`;

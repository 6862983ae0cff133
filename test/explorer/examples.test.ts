import { examples, type Example } from '../../src/explorer/examples.js';
import { command } from '../support/command.js';
import { startTestServer, type TestServer } from '../support/server.js';

/** Which variable takes the id that an example's answer holds, and where in the answer it is. */
const handedOn: Record<string, [variable: string, field: string, thing: string]> = {
  CreateAccount: ['account', 'createAccount', 'account'],
  CreateSubAccount: ['owner', 'createAccount', 'account'],
  CreateProject: ['project', 'createProject', 'project'],
  CreateRole: ['role', 'createRole', 'role'],
  GrantRole: ['grant', 'grantRole', 'grant'],
  CreateAccessKey: ['credential', 'createCredential', 'credential'],
};

describe.each([
  ['fresh', false],
  ['filled with the examples of the seed pages', true],
])('on a Keyway that is %s', (_, filled) => {
  const all = examples();
  const ids = new Map<string, string>();
  const answers = new Map<string, Awaited<ReturnType<TestServer['ask']>>>();
  let server: TestServer;

  // The examples build on one another, so they are run once, as a person would: from the first tab to the last.
  beforeAll(async () => {
    server = await startTestServer();
    if (filled) await server.restart(async () => void (await command(server, 'demo')));
    for (const example of all) {
      const answer = await server.ask(example.query, variablesOf(example, ids));
      answers.set(example.file, answer);
      const [variable, field, thing] = handedOn[nameOf(example)] ?? [];
      const id: unknown = field && thing ? answer.data?.[field]?.[thing]?.id : undefined;
      if (variable && typeof id === 'string') ids.set(variable, id);
    }
  }, 120_000);
  afterAll(() => server.stop());

  test.each(all)('$file is answered without errors', ({ file }) => {
    const answer = answers.get(file);
    expect({ status: answer?.status, errors: answer?.errors }).toEqual({ status: 200, errors: [] });
  });

  const answerOf = (name: string) => {
    const example = all.find((one) => nameOf(one) === name);

    return answers.get(example?.file ?? '')?.data;
  };

  test('each example shows what it is there to show', () => {
    expect(answerOf('Credentials').credentials.totalCount).toBe(filled ? 14 : 1);
    expect(answerOf('Viewer').viewer.name).toBe('admin');
    expect(answerOf('ByName').project.grants).toHaveLength(1);
    expect(answerOf('Nodes').nodes.map((node: { __typename: string }) => node.__typename)).toEqual([
      'Project',
      'Role',
    ]);
    expect(answerOf('CreateAccessKey').createCredential.issued.accessKey).toMatch(/^LH/);
    expect(answerOf('UpdateCredential').updateCredential.credential.revision).toBe(2);
    expect(answerOf('RotateCredential').rotateCredential.credential.status).toBe('ROTATING');
    expect(answerOf('RotateCredential').rotateCredential.issued.exports).toContain('export BEACON_');
    expect(
      answerOf('Versions').credential.versions.map((version: { state: string }) => version.state),
    ).toEqual(['CURRENT', 'PREVIOUS']);
    const { issued, other } = answerOf('RevealCredential').revealCredential;
    expect(issued.secret).toBe(answerOf('RotateCredential').rotateCredential.issued.secret);
    expect(other.secret).toBe(answerOf('CreateAccessKey').createCredential.issued.secret);
    expect(answerOf('RevokeCredential').revokeCredential.credential.status).toBe('REVOKED');
    expect(answerOf('DeleteCredential').deleteCredential.credential.status).toBe('DELETED');
    expect(answerOf('AuditEvents').auditEvents.totalCount).toBeGreaterThan(10);
  });

  test('R1: the example of an idempotency key, run again, answers the same and makes nothing new', async () => {
    // The last example took its account away, so it is run in another.
    const made = await server.ask(
      'mutation { createAccount(input: { kind: ORGANIZATION, name: "keeper", title: "Keeper" }) { account { id } } }',
    );
    const account = made.data?.createAccount.account.id as string;
    const example = all.find((one) => nameOf(one) === 'CreateOnce');
    const variables = { account, idempotencyKey: 'another-horn' };
    const first = await server.ask(example?.query ?? '', variables);
    const second = await server.ask(example?.query ?? '', variables);
    expect(first.data.createCredential.issued.secret).toMatch(/^[0-9a-f]{64}$/);
    expect(second.data).toEqual(first.data);
  });

  test('the last example leaves nothing of the others', async () => {
    const { data, errors } = await server.ask(`{
      account(name: "lighthouse") { id }
      project(name: "beacon") { id }
      role(name: "beacon-operator") { id }
    }`);
    expect(errors).toEqual([]);
    expect(data).toMatchObject({ account: null, project: null, role: null });
  });
});

/** The variables that a tab is opened with, with the ids of what was made in place of the ellipses. */
function variablesOf({ variables = '{}' }: Example, ids: ReadonlyMap<string, string>) {
  const values = JSON.parse(variables) as Record<string, unknown>;
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'string' && value.endsWith('_…')) values[name] = ids.get(name);
  }
  return values;
}

const nameOf = ({ query }: Example): string => /(?:query|mutation) (\w+)/.exec(query)?.[1] ?? '';

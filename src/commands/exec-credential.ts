import { Option, type Command } from 'commander';
import type { Secret } from '../secret.js';
import { askWithCode } from './change-command.js';
import { addCommand, type Adding } from './command.js';
import { credentialIssue, credentialReveal } from './documents/credential-changes.js';
import { CommandFailure } from './failure.js';
import { flag, variablesFrom } from './flag-values.js';
import type { CommandSession } from './session.js';
import { isFields, type Fields } from './terminal/texts.js';

const credential = flag('id', 'a credential, by its id, name or access key', {
  name: 'credential',
  kind: 'credential',
  isRequired: true,
});
const issue = flag('duration', 'derive a temporary one that works so long, and show that: 15m', {
  name: 'issue',
  kind: 'duration',
});

/** `keyway exec-credential`: a secret in the form in which other programs ask a program for it. */
export function addExecCredential(program: Command, adding: Adding): void {
  addCommand(
    program,
    adding,
    {
      name: 'exec-credential',
      does: 'Writes a secret as kubectl (exec) or AWS (credential_process) read it from a program.',
      flags: [credential, issue],
    },
    async (session, given) => {
      const issued = await issuedFor(session, given);
      const answer = forms[given['for'] as keyof typeof forms](issued);
      session.terminal.out.write(`${JSON.stringify(answer)}\n`);
    },
  ).addOption(
    new Option('--for <program>', 'who reads it').choices(Object.keys(forms)).makeOptionMandatory(),
  );
}

async function issuedFor(session: CommandSession, given: Fields): Promise<Issued> {
  const { id, duration } = await variablesFrom(session, [credential, issue], given);
  const [document, input] =
    duration === undefined ? [credentialReveal, { id }] : [credentialIssue, { parent: id, duration }];
  const [payload] = Object.values(await askWithCode(session, { document, takesCode: true }, { input }));
  const issued = isFields(payload) ? payload['issued'] : undefined;
  if (session.failure) throw session.failure;
  if (!isFields(issued)) throw new CommandFailure('FAILED', 'The credential shows no secret.');
  return issued as unknown as Issued;
}

interface Issued {
  readonly accessKey: string | null;
  readonly secret: Secret | null;
  readonly expiresAt: string | null;
  readonly keys: readonly { readonly name: string; readonly value: Secret }[] | null;
}

const forms = {
  /** https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins */
  kubernetes: ({ secret, expiresAt }: Issued) => ({
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: {
      token: exposed(secret, 'a token'),
      ...(expiresAt !== null && { expirationTimestamp: expiresAt }),
    },
  }),
  /** https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html */
  aws: ({ accessKey, secret, keys, expiresAt }: Issued) => {
    const key = (name: string) => keys?.find((one) => one.name === name)?.value ?? null;
    const sessionToken = key('sessionToken');
    return {
      Version: 1,
      AccessKeyId: accessKey ?? exposed(key('accessKey'), 'an access key'),
      SecretAccessKey: exposed(secret ?? key('secretKey'), 'a secret key'),
      ...(sessionToken && { SessionToken: sessionToken.expose() }),
      ...(expiresAt !== null && { Expiration: expiresAt }),
    };
  },
};

/** @throws a failure that says what the credential does not have */
function exposed(secret: Secret | null, what: string): string {
  if (!secret) throw new CommandFailure('UNSUPPORTED', `The credential has not ${what}.`);
  return secret.expose();
}

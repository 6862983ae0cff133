import { expectData, type Made } from '../support/make.js';
import type { Answer, AskOptions, SharedServer } from '../support/server.js';
import { askSigned } from '../support/signing.js';

const issuing = `mutation ($input: IssueTemporaryCredentialInput!) {
  issueTemporaryCredential(input: $input) {
    credential {
      id kind name accessKey status enabled createdAt expiresAt mfaAuthenticated allowedIps retrievable signatureScheme
      revision account { id } owner { id } project { id } parent { id } store { name } roles { id }
    }
    issued { accessKey secret keys { name value } expiresAt }
  }
}`;

/** Derives a temporary credential; the administrator does it, where nobody else is named. */
export const issue = (
  server: SharedServer,
  input: Record<string, unknown>,
  options?: AskOptions,
): Promise<Answer> => server.ask(issuing, { input }, options);

/** The same, signed by a key. */
export const issueSigned = (server: SharedServer, key: Made, input: Record<string, unknown>) =>
  askSigned(server, key, issuing, { input });

/** A temporary credential with its secret. */
export async function issued(
  server: SharedServer,
  parent: string,
  input: Record<string, unknown> = {},
  options?: AskOptions,
): Promise<Made> {
  const answer = await issue(server, { parent, ...input }, options);
  return madeBy(answer);
}

/** What an answer of `issueTemporaryCredential` made. */
export function madeBy(answer: Pick<Answer, 'data' | 'errors'>): Made {
  const { credential, issued: pair } = expectData(answer).issueTemporaryCredential;
  return { id: credential.id, accessKey: pair.accessKey, secret: pair.secret };
}

/** What was derived from a credential, as the administrator sees it. */
export async function derivedFrom(
  server: SharedServer,
  id: string,
): Promise<{ id: string; status: string }[]> {
  const answer = await server.ask(
    'query ($id: ID!) { credential(id: $id) { derived(first: 100) { nodes { id status } } } }',
    { id },
  );
  return expectData(answer).credential.derived.nodes;
}

/** What a verifier is told of a pair. */
export async function verdictOn(
  server: SharedServer,
  { accessKey, secret }: Pick<Made, 'accessKey' | 'secret'>,
  more: Record<string, unknown> = {},
) {
  const answer = await server.ask(
    `mutation ($input: VerifyCredentialInput!) {
      verifyCredential(input: $input) { valid code credential { id mfaAuthenticated expiresAt roles { id } } }
    }`,
    { input: { accessKey, proof: { secret }, ...more } },
  );
  return expectData(answer).verifyCredential;
}

/** Whether a pair works just now: what a verifier is told of it, and what Keyway answers to a request that it signed. */
export async function standingOf(
  server: SharedServer,
  pair: Made,
): Promise<{ code: string; status: number }> {
  const [{ code }, { status }] = await Promise.all([
    verdictOn(server, pair),
    askSigned(server, pair, '{ viewer { id } }'),
  ]);
  return { code, status };
}

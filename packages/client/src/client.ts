import { textOf, type Print, type TypedDocument } from './documents.js';
import {
  AccountsDocument,
  AuditEventsDocument,
  CreateCredentialDocument,
  CreateStoreDocument,
  CredentialDocument,
  CredentialsDocument,
  DeleteCredentialDocument,
  IssueTemporaryCredentialDocument,
  ProjectsDocument,
  RevealCredentialDocument,
  RevokeCredentialDocument,
  RolesDocument,
  StoresDocument,
  SyncStoreDocument,
  RotateCredentialDocument,
  UpdateCredentialDocument,
} from './graph.js';
import type * as graph from './graph.js';
import { issuedOf, type Issued } from './issued.js';
import { hex } from './mac.js';
import { nodesOf } from './pages.js';
import { presentedBy, type IncomingRequest } from './presented.js';
import { errorOf, openTransport, type Repeat, type TransportOptions } from './transport.js';

/** A credential, without its secret. */
export type Credential = graph.CredentialPartsFragment;

/** A credential with its secrets through time, and how its last rotation stands. */
export type CredentialInFull = NonNullable<graph.CredentialQuery['credential']>;

/** A store, whether it was reached, and what its last sync found. */
export type Store = graph.StorePartsFragment;

/** Whether what was presented is good: `valid`, and why not in `code`. */
export type Verification = graph.VerifyMutation['verifyCredential'];

export interface KeywayOptions extends TransportOptions {
  /** Writes parsed documents as text, for `query` and `mutate`: `print` of the package graphql. */
  print?: Print;
}

/** How a list is read: `pageSize` items with each request, 100 if left out. */
interface Listed {
  pageSize?: number;
}

/**
 * A Keyway, as a program calls it. Every method throws a KeywayError where Keyway does not answer or refuses; what changes
 * something has an idempotency key, of its own if none is given, and so is sent again where an answer is lost.
 */
export class Keyway {
  readonly #options: KeywayOptions;
  readonly #transport: ReturnType<typeof openTransport>;

  /** Calls nobody yet. @throws TypeError where the options cannot mean anything */
  constructor(options: KeywayOptions) {
    this.#options = options;
    this.#transport = openTransport(options);
  }

  /** The same Keyway with other options for what is asked through it, such as `with({ signal })` to end that early. */
  with(options: Partial<Omit<KeywayOptions, 'url' | 'token' | 'key'>>): Keyway {
    return new Keyway({ ...this.#options, ...options });
  }

  /**
   * Asks whether what a service was presented with is good. That it is not is no error: see `code`. What is lost on the way
   * is asked again, and then may count as two uses; a signed request, which holds once, is not.
   */
  async verify(input: graph.VerifyCredentialInput): Promise<Verification> {
    const repeat = input.proof.signedRequest ? 'if limited' : 'always';
    const { body } = await this.#transport.post('v1/verify', input, repeat);
    return body as Verification;
  }

  /**
   * Asks the same of a request that a service got, by its signature, its bearer token or HTTP Basic. One that presents
   * nothing is not valid, and nobody is asked.
   * @throws TypeError where the request is signed and has a body, and `body`, which is its text, is left out
   */
  async verifyRequest(
    request: IncomingRequest,
    { body, ...asked }: Omit<graph.VerifyCredentialInput, 'proof' | 'accessKey'> & { body?: string } = {},
  ): Promise<Verification> {
    const presented = presentedBy(request, body);
    if (!presented) return { valid: false, code: 'NOT_VALID', retryAfter: null, credential: null };
    return this.verify({ ...presented, ip: request.ip ?? null, ...asked });
  }

  /** Asks something of the graph. Secrets in the answer are plain texts. */
  query<Result, Variables>(
    document: TypedDocument<Result, Variables>,
    variables?: Variables,
  ): Promise<Result> {
    return this.#ask(document, variables, 'always');
  }

  /**
   * Changes something by the graph. Secrets in the answer are plain texts. It is sent again after an answer was lost only
   * where `variables.input.idempotencyKey` makes that safe.
   */
  mutate<Result, Variables>(
    document: TypedDocument<Result, Variables>,
    variables?: Variables,
  ): Promise<Result> {
    const { input } = (variables ?? {}) as { input?: { idempotencyKey?: unknown } };
    return this.#ask(document, variables, input?.idempotencyKey ? 'always' : 'if refused');
  }

  /** The credential with this id; null where there is none that the caller may see. */
  async credential(id: string): Promise<CredentialInFull | null> {
    return (await this.query(CredentialDocument, { id })).credential;
  }

  /** The credentials that the caller may see, newest first unless `orderBy` says otherwise. */
  credentials({
    pageSize = 100,
    ...which
  }: Pick<graph.CredentialsQueryVariables, 'filter' | 'orderBy'> & Listed = {}) {
    return nodesOf(
      async (after) =>
        (await this.query(CredentialsDocument, { ...which, first: pageSize, after })).credentials,
    );
  }

  /** The accounts that the caller may see, by name. */
  accounts({ pageSize = 100, ...which }: Pick<graph.AccountsQueryVariables, 'filter'> & Listed = {}) {
    return nodesOf(
      async (after) => (await this.query(AccountsDocument, { ...which, first: pageSize, after })).accounts,
    );
  }

  /** The projects that the caller may see, by name. */
  projects({ pageSize = 100, ...which }: Pick<graph.ProjectsQueryVariables, 'filter'> & Listed = {}) {
    return nodesOf(
      async (after) => (await this.query(ProjectsDocument, { ...which, first: pageSize, after })).projects,
    );
  }

  /** The roles that the caller may see, by name. */
  roles({ pageSize = 100, ...which }: Pick<graph.RolesQueryVariables, 'filter'> & Listed = {}) {
    return nodesOf(
      async (after) => (await this.query(RolesDocument, { ...which, first: pageSize, after })).roles,
    );
  }

  /** All stores that the caller may see, by name. */
  async stores(): Promise<Store[]> {
    return (await this.query(StoresDocument)).stores;
  }

  /** Connects an outside system, which is called first. What it lists is read by `syncStore`, or within its interval. */
  async createStore(input: graph.CreateStoreInput): Promise<Store> {
    return (await this.mutate(CreateStoreDocument, { input: keyed(input) })).createStore.store;
  }

  /** Reads what a store lists: for ten seconds at most; what is left is read later, and `lastSync.finishedAt` is null. */
  async syncStore(input: graph.SyncStoreInput): Promise<Store> {
    return (await this.mutate(SyncStoreDocument, { input: keyed(input) })).syncStore.store;
  }

  /** The audit events that the caller may see, newest first. */
  auditEvents({ pageSize = 100, ...which }: Pick<graph.AuditEventsQueryVariables, 'filter'> & Listed = {}) {
    return nodesOf(
      async (after) =>
        (await this.query(AuditEventsDocument, { ...which, first: pageSize, after })).auditEvents,
    );
  }

  /** Creates a credential, in its store too. `issued` has the secret; null where the caller gave it. */
  async createCredential(
    input: graph.CreateCredentialInput,
  ): Promise<{ credential: Credential; issued: Issued | null }> {
    const { createCredential } = await this.mutate(CreateCredentialDocument, { input: keyed(input) });
    const { issued } = createCredential;
    return { ...createCredential, issued: issued && issuedOf(issued) };
  }

  /** Derives a temporary access key from a permanent credential. */
  async issueTemporaryCredential(
    input: graph.IssueTemporaryCredentialInput,
  ): Promise<{ credential: Credential; issued: Issued }> {
    const answer = await this.mutate(IssueTemporaryCredentialDocument, { input: keyed(input) });
    return withIssued(answer.issueTemporaryCredential);
  }

  /** Gives a credential a new secret; the previous one works until `gracePeriod` is over. */
  async rotateCredential(
    input: graph.RotateCredentialInput,
  ): Promise<{ credential: Credential; issued: Issued }> {
    const answer = await this.mutate(RotateCredentialDocument, { input: keyed(input) });
    return withIssued(answer.rotateCredential);
  }

  /** Shows the secret of a retrievable credential again. Each time is on record, so it is not sent again by itself. */
  async revealCredential(
    input: graph.RevealCredentialInput,
  ): Promise<{ credential: Credential; issued: Issued; others: Issued[] }> {
    const { revealCredential } = await this.mutate(RevealCredentialDocument, { input });
    return { ...withIssued(revealCredential), others: revealCredential.others.map(issuedOf) };
  }

  /** Changes what is given of a credential. */
  async updateCredential(input: graph.UpdateCredentialInput): Promise<Credential> {
    const { updateCredential } = await this.mutate(UpdateCredentialDocument, { input: keyed(input) });
    return updateCredential.credential;
  }

  /** Revokes a credential, and all that are derived from it: at once, and for good. */
  async revokeCredential(
    input: graph.RevokeCredentialInput,
  ): Promise<{ credential: Credential; reasonRecorded: boolean }> {
    return (await this.mutate(RevokeCredentialDocument, { input: keyed(input) })).revokeCredential;
  }

  /** Revokes a credential, and takes it out of all lists. */
  async deleteCredential(input: graph.DeleteCredentialInput): Promise<Credential> {
    return (await this.mutate(DeleteCredentialDocument, { input: keyed(input) })).deleteCredential.credential;
  }

  async #ask<Result, Variables>(
    document: TypedDocument<Result, Variables>,
    variables: Variables | undefined,
    repeat: Repeat,
  ): Promise<Result> {
    const query = textOf(document, this.#options.print);
    const answered = await this.#transport.post('graphql', { query, variables }, repeat);
    const { data, errors = [] } = answered.body as { data?: Result | null; errors?: unknown[] };
    if (errors.length > 0 || data === undefined || data === null) throw errorOf(answered);
    return data;
  }
}

const keyed = <Input extends { idempotencyKey?: string | null | undefined }>(input: Input): Input => ({
  ...input,
  idempotencyKey: input.idempotencyKey ?? freshKey(),
});

// `crypto.randomUUID` is not there on a page that came by plain HTTP.
const freshKey = () => hex(crypto.getRandomValues(new Uint8Array(16)));

const withIssued = ({
  credential,
  issued,
}: {
  credential: Credential;
  issued: graph.IssuedPartsFragment;
}): { credential: Credential; issued: Issued } => ({ credential, issued: issuedOf(issued) });

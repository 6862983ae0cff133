import { useMutation, type Client, type OperationResult, type TypedDocumentNode } from 'urql';

type Input = object;

/**
 * The keys of requests that have not come to their answer: the same request has the same one until then. A refusal settles
 * nothing, as an answer may have been lost before it.
 */
const unsettled = new Map<string, string>();

/** Forgets them, as with whoever sent them. */
export const forgetChanges = (): void => unsettled.clear();

/** `crypto.randomUUID` is not there on a page that came by plain HTTP. */
const newIdempotencyKey = () =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

type Sent<Result, One extends Input> = (variables: {
  input: One;
}) => Promise<OperationResult<Result, { input: One }>>;

/**
 * Changes something once, however often it is sent: also where the dialog was closed after an answer was lost, and is opened
 * again. What is changed in the input makes it another request.
 * @param code of the second factor, which is none of what is asked for
 */
async function once<Result, One extends Input>(
  document: TypedDocumentNode<Result, { input: One }>,
  send: Sent<Result, One>,
  input: Omit<One, 'idempotencyKey' | 'mfaCode'>,
  code: string | undefined,
): Promise<OperationResult<Result, { input: One }>> {
  const text = JSON.stringify([document.loc?.source.body, input]);
  const idempotencyKey = unsettled.get(text) ?? newIdempotencyKey();
  unsettled.set(text, idempotencyKey);
  const asked = { ...input, idempotencyKey, ...(code !== undefined && { mfaCode: code }) };
  const result = await send({ input: asked as unknown as One });
  if (result.data) unsettled.delete(text);
  return result;
}

/** A change for a part of a page, with how it is: whether it is under way, and what was wrong with it at last. */
export function useChange<Result, One extends Input>(document: TypedDocumentNode<Result, { input: One }>) {
  const [{ fetching, error }, execute] = useMutation(document);
  const run = (input: Omit<One, 'idempotencyKey' | 'mfaCode'>, code?: string) =>
    once(document, execute, input, code);
  return [{ fetching, error }, run] as const;
}

/** A change for what goes on without the page that began it. */
export const change = <Result, One extends Input>(
  client: Client,
  document: TypedDocumentNode<Result, { input: One }>,
  input: Omit<One, 'idempotencyKey' | 'mfaCode'>,
  code?: string,
): Promise<OperationResult<Result, { input: One }>> =>
  once(document, (variables) => client.mutation(document, variables).toPromise(), input, code);

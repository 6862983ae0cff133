import { expectData } from './make.js';
import type { Answer, AskOptions, Door, SharedServer } from './server.js';

/** Runs a mutation with its input; the administrator does it, where nobody else is named. */
export function run(
  server: Door,
  mutation: string,
  input: Record<string, unknown>,
  options?: AskOptions,
): Promise<Answer> {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input!`;
  const document = `mutation ($input: ${type}) { ${mutation}(input: $input) { __typename } }`;
  return server.ask(document, { input }, options);
}

/** The fields of a node that the administrator reads; null where there is none. */
export const readNode = async (server: SharedServer, id: string, fields: string) =>
  expectData(await server.ask(`query ($id: ID!) { node(id: $id) { ${fields} } }`, { id })).node;

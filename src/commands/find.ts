import { prefixes } from '../ids.js';
import { CommandFailure, noSuch, wrongUsage } from './failure.js';
import {
  accountIdByName,
  credentialsByText,
  projectIdByName,
  roleIdByName,
  storeIdByName,
} from './documents/by-name.js';
import type { CommandSession } from './session.js';

/** What can be named in the place of its id. */
export type Findable = 'account' | 'project' | 'role' | 'store' | 'credential' | 'any-credential' | 'id';

/**
 * The id of what a person has named, by its id or its name. A credential is also found by its access key, and where it is
 * only looked at (`any-credential`), by any text that it alone has.
 * @param field what the name was given as
 * @throws NOT_FOUND where there is none; BAD_USER_INPUT with the ids of all where several credentials have the name
 */
export async function findId(
  session: CommandSession,
  kind: Findable,
  name: string,
  field: string,
): Promise<string> {
  if (kind === 'id' || isId(name)) return name;
  if (kind === 'credential' || kind === 'any-credential')
    return findCredentialId(session, name, field, kind === 'any-credential');
  const found = (await session.ask(documents[kind], { name }))[kind];
  if (!found) throw noSuch(field);
  return (found as { id: string }).id;
}

const documents = {
  account: accountIdByName,
  project: projectIdByName,
  role: roleIdByName,
  store: storeIdByName,
} as const;

const isId = (text: string) =>
  Object.values(prefixes).some((prefix) => text.startsWith(`${prefix}_`)) &&
  /^[a-z]{4}_[0-9A-Za-z]{22}$/.test(text);

interface Candidate {
  readonly id: string;
  readonly name: string;
  readonly accessKey: string | null;
  readonly parent: { readonly id: string } | null;
}

const mostPages = 10;

async function findCredentialId(
  session: CommandSession,
  name: string,
  field: string,
  isLoose: boolean,
): Promise<string> {
  const all: Candidate[] = [];
  let after: string | null = null;
  for (let pages = 1; ; pages++) {
    const { credentials } = (await session.ask(credentialsByText, { search: name, after })) as {
      credentials: { nodes: Candidate[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
    };
    all.push(...credentials.nodes);
    if (!credentials.pageInfo.hasNextPage) break;
    if (pages === mostPages) throw wrongUsage(field, 'very many credentials have this text: give the id');
    after = credentials.pageInfo.endCursor;
  }
  // What is derived from one has its name, and is nobody's to keep: it is named by its access key.
  const composed = name.normalize();
  const isNamed = (one: Candidate) => one.name.normalize() === composed && !one.parent;
  const exact = all.filter((one) => isNamed(one) || one.accessKey === name);
  const found = exact.length > 0 || !isLoose ? exact : all;
  const [first] = found;
  if (first && found.length === 1) return first.id;
  if (first)
    throw new CommandFailure('BAD_USER_INPUT', `${field}: ${found.length} credentials have this name.`, {
      advice: `Give the id of the one that is meant: ${found
        .slice(0, mostNamed)
        .map(({ id }) => id)
        .join(', ')}${found.length > mostNamed ? ', …' : ''}`,
    });
  if (all.length > 0)
    throw new CommandFailure('NOT_FOUND', `${field}: No credential has exactly this name.`, {
      advice: `These have it within a text of theirs: ${all
        .slice(0, mostNamed)
        .map(({ id }) => id)
        .join(', ')}`,
    });
  throw noSuch(field);
}

const mostNamed = 10;

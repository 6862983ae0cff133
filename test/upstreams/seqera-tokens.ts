import { randomBytes } from 'node:crypto';
import type { Answered, Arrived } from './stand-in.js';

/** A personal access token. */
export interface AccessToken {
  id: number;
  name: string;
  dateCreated: string;
  lastUsed: string | null;
}

/** The personal access tokens of one person, and the calls that list, make and delete them. */
export function openTokens(first: string, time: () => string, bad: (text: string) => Answered) {
  const valid = new Map<string, AccessToken>();
  let made = 0;
  const add = (accessKey: string, name: string): AccessToken => {
    const token = { id: ++made, name, dateCreated: time(), lastUsed: null };
    valid.set(accessKey, token);
    return token;
  };
  add(first, 'gateway');

  const create = ({ body }: Arrived): Answered => {
    const name = nameIn(body);
    if (name === undefined) return bad('Not a name');
    if ([...valid.values()].some((one) => one.name === name))
      return { status: 409, body: { message: 'A token with that name already exists' } };
    const accessKey = randomBytes(30).toString('hex');
    return { status: 200, body: { accessKey, token: add(accessKey, name) } };
  };

  const remove = (id: string): Answered => {
    const found = [...valid].find(([, token]) => String(token.id) === id);
    if (!found) return { status: 403, body: '' };
    valid.delete(found[0]);
    return { status: 204 };
  };

  return {
    /** By access key. */
    valid,
    /** Whether this is one; notes that it was used. */
    use(accessKey: string): boolean {
      const token = valid.get(accessKey);
      if (token) token.lastUsed = time();
      return token !== undefined;
    },
    /** The answer; undefined where there is no such call. */
    handle(request: Arrived, path: string): Answered | undefined {
      if (path === '/tokens' && request.method === 'GET')
        return { status: 200, body: { tokens: [...valid.values()] } };
      if (path === '/tokens' && request.method === 'POST') return create(request);
      if (request.method !== 'DELETE') return undefined;
      if (path !== '/tokens/delete-all') return remove(path.slice('/tokens/'.length));
      valid.clear();
      return { status: 204 };
    },
  };
}

function nameIn(body: string): string | undefined {
  try {
    const { name } = JSON.parse(body) as { name?: unknown };
    return typeof name === 'string' && name.length >= 1 && name.length <= 50 ? name : undefined;
  } catch {
    return undefined;
  }
}

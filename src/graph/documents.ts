import type { ApolloServerPlugin } from '@apollo/server';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import {
  mostDocuments,
  mostKeptTokens,
  mostNewTokens,
  mostNewTokensOfTenant,
  newTokensMs,
} from '../config/limits.js';
import { rateLimited } from '../errors.js';
import { countsOf } from './document-counts.js';
import { DocumentRefused, misfitsOf, type Misfit } from './errors/validation.js';
import { keepLocations } from './locations.js';
import type { Whose } from '../shares/line.js';
import type { Turns } from './turns.js';

/**
 * Validates each document once, when its caller's turn comes, and keeps it with what came of that: the same text costs
 * nothing again. In the place of Apollo Server's validation, which would come before anything is counted: give it
 * `store`, switch its own off, and put the plugin behind `queryLimits`.
 */
export function openDocuments<Context extends object>(options: {
  introspection: boolean;
  turns: Turns;
  callerOf: (ctx: Context) => Whose;
}): { store: DocumentStore; plugin: ApolloServerPlugin<Context> } {
  const { introspection, turns, callerOf } = options;
  const store = new DocumentStore();
  const budget = new DocumentBudget();

  /** What keeps the document from being run. */
  function misfitsIn(document: DocumentNode, schema: GraphQLSchema, caller: Whose): readonly Misfit[] {
    const known = store.verdicts.get(document);
    if (known) return known;
    budget.spend(caller, document.tokenCount ?? 0);
    const misfits = misfitsOf(document, schema, introspection);
    store.verdicts.set(document, misfits);
    return misfits;
  }

  const plugin: ApolloServerPlugin<Context> = {
    requestDidStart: async () => ({
      didResolveSource: async ({ queryHash, contextValue }) => {
        if (!store.has(queryHash)) await turns.take(callerOf(contextValue));
      },
      didResolveOperation: async ({ document, schema, contextValue }) => {
        const misfits = misfitsIn(document, schema, callerOf(contextValue));
        if (misfits.length > 0) throw new DocumentRefused(misfits);
      },
    }),
  };
  return { store, plugin };
}

/** The documents that were sent lately, without their texts. The one used longest ago gives way. */
export class DocumentStore {
  /** What validation said of each. */
  readonly verdicts = new WeakMap<DocumentNode, readonly Misfit[]>();
  readonly #kept = new Map<string, DocumentNode>();
  #tokens = 0;

  /** @param key ends with the hash of the text, as Apollo Server makes it. */
  async get(key: string): Promise<DocumentNode | undefined> {
    const document = this.#kept.get(hashIn(key));
    if (!document) return undefined;
    this.#kept.delete(hashIn(key));
    this.#kept.set(hashIn(key), document);
    return document;
  }

  async set(key: string, document: DocumentNode): Promise<void> {
    // What is told of the tokens is counted while they are there.
    countsOf(document);
    keepLocations(document);
    await this.delete(key);
    this.#kept.set(hashIn(key), document);
    this.#tokens += document.tokenCount ?? 0;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= mostDocuments && this.#tokens <= mostKeptTokens) return;
      await this.delete(oldest);
    }
  }

  async delete(key: string): Promise<boolean> {
    this.#tokens -= this.#kept.get(hashIn(key))?.tokenCount ?? 0;
    return this.#kept.delete(hashIn(key));
  }

  has(hash: string): boolean {
    return this.#kept.has(hash);
  }
}

/** Apollo Server puts the schema's hash before it. */
const hashIn = (key: string): string => key.slice(-64);

/** How many tokens of new documents each account, and each tenant, has had validated in the time that runs. */
export class DocumentBudget {
  readonly #spent = new Map<string, number>();
  #endsAtMs = 0;

  /** @throws RATE_LIMITED for more than an account or its tenant may have, until the time is over. */
  spend(whose: Whose, tokens: number, nowMs = performance.now()): void {
    if (nowMs >= this.#endsAtMs) {
      this.#spent.clear();
      this.#endsAtMs = nowMs + newTokensMs;
    }
    const [tenant = ''] = whose;
    const after = (name: string) => (this.#spent.get(name) ?? 0) + tokens;
    const [ofTenant, ofAccount] = [`tenant ${tenant}`, `account ${String(whose)}`];
    if (after(ofTenant) > mostNewTokensOfTenant || after(ofAccount) > mostNewTokens)
      throw rateLimited(
        'newDocuments',
        'Too many new documents at once: send the same document again, with its values in variables.',
        this.#endsAtMs - nowMs,
      );
    for (const name of [ofTenant, ofAccount]) this.#spent.set(name, after(name));
  }
}

import {
  Kind,
  TokenKind,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { largestQuery } from '../config/limits.js';

/** How large a document is, as it is written: no schema is asked. */
export interface DocumentCounts {
  lines: number;
  operations: number;
  /** The longest name, in characters. */
  nameLength: number;
  introspectionDepth: number;
  /** Of all operations and unused fragments, with every fragment written out; counted up to one too many. */
  fields: number;
  /** Pairs of fields under one name in one place: validation compares each with each. */
  comparisons: number;
}

/** How large one operation is, as it is written. */
export interface OperationCounts {
  /** Fields beneath fields. Introspection has a depth of its own. */
  depth: number;
  aliases: number;
  directives: number;
}

/**
 * Counts a document before anything else is done with it. Takes time in proportion to its text and to the limit on
 * fields, whatever it holds: what doubles with each fragment is followed no further than that.
 */
export function countsOf(document: DocumentNode): {
  whole: DocumentCounts;
  operations: ReadonlyMap<OperationDefinitionNode, OperationCounts>;
} {
  const kept = known.get(document);
  if (kept) return kept;
  const walk = new Walk(document);
  const operations = new Map<OperationDefinitionNode, OperationCounts>();
  for (const node of document.definitions)
    if (node.kind === Kind.OPERATION_DEFINITION) operations.set(node, walk.operation(node));
  walk.unused();
  const whole = { ...textOf(document), ...walk.counts, operations: operations.size };
  const counts = { whole, operations };
  known.set(document, counts);
  return counts;
}

/** Kept from when the document still has its tokens. */
const known = new WeakMap<DocumentNode, ReturnType<typeof countsOf>>();

function textOf({ loc }: DocumentNode): { lines: number; nameLength: number } {
  let nameLength = 0;
  for (let token = loc?.startToken; token; token = token.next ?? undefined)
    if (token.kind === TokenKind.NAME) nameLength = Math.max(nameLength, token.value.length);
  return { lines: loc?.endToken.line ?? 0, nameLength };
}

const count = (node: { directives?: readonly unknown[] }): number => node.directives?.length ?? 0;

/** A place in the answer: how often it is asked for, and what is below it, by name. */
interface Place {
  times: number;
  below: Map<string, Place>;
}

const newPlace = (): Place => ({ times: 0, below: new Map() });

/** Where a walk is. */
interface At {
  /** In the answer. */
  place: Place;
  depth: number;
  /** How deep within introspection; 0 outside of it. */
  introspection: number;
  /** The fragments that it is in. */
  within: readonly string[];
}

class Walk {
  readonly counts = { introspectionDepth: 0, fields: 0, comparisons: 0 };
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  readonly #used = new Set<string>();
  #operation: OperationCounts = { depth: 0, aliases: 0, directives: 0 };

  constructor(document: DocumentNode) {
    for (const node of document.definitions)
      if (node.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(node.name.value, node);
  }

  operation(node: OperationDefinitionNode): OperationCounts {
    const declared = (node.variableDefinitions ?? []).reduce((sum, variable) => sum + count(variable), 0);
    return this.#root(node.selectionSet, count(node) + declared);
  }

  /** Validation looks at fragments that nobody spreads, too. */
  unused(): void {
    for (const [name, node] of this.#fragments)
      if (!this.#used.has(name)) this.#root(node.selectionSet, count(node));
  }

  #root(set: SelectionSetNode, directives: number): OperationCounts {
    this.#operation = { depth: 0, aliases: 0, directives };
    this.#set(set, { place: newPlace(), depth: 0, introspection: 0, within: [] });
    return this.#operation;
  }

  #set(set: SelectionSetNode, at: At): void {
    for (const node of set.selections) {
      if (this.counts.fields > largestQuery.fields) return;
      this.counts.fields++;
      this.#operation.directives += count(node);
      if (node.kind === Kind.FIELD) this.#field(node, at);
      else if (node.kind === Kind.INLINE_FRAGMENT) this.#set(node.selectionSet, at);
      else this.#spread(node.name.value, at);
    }
  }

  #field(node: FieldNode, at: At): void {
    const name = node.name.value;
    const within = at.introspection > 0;
    const introspection = within || name === '__schema' || name === '__type' ? at.introspection + 1 : 0;
    const depth = within ? at.depth : at.depth + 1;
    const { counts } = this;
    counts.introspectionDepth = Math.max(counts.introspectionDepth, introspection);
    this.#operation.depth = Math.max(this.#operation.depth, depth);
    if (node.alias) this.#operation.aliases++;
    const place = this.#compared(at.place, (node.alias ?? node.name).value);
    if (node.selectionSet) this.#set(node.selectionSet, { ...at, place, depth, introspection });
  }

  #spread(name: string, at: At): void {
    const fragment = this.#fragments.get(name);
    this.#used.add(name);
    // Fragments of one place are compared with each other as well. No field has this name.
    this.#compared(at.place, '...');
    // One within itself is for validation to refuse.
    if (!fragment || at.within.includes(name)) return;
    this.#operation.directives += count(fragment);
    this.#set(fragment.selectionSet, { ...at, within: [...at.within, name] });
  }

  #compared(place: Place, name: string): Place {
    const below = place.below.get(name) ?? newPlace();
    place.below.set(name, below);
    this.counts.comparisons += below.times++;
    return below;
  }
}

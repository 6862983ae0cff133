/** What tells the types of a document: as `TypedDocumentNode` and `TypedDocumentString` of GraphQL Code Generator have it. */
export interface DocumentTypes<Result, Variables> {
  __apiType?: (variables: Variables) => Result;
}

/** A document as text, with its types. */
export type TypedText<Result, Variables> = string & DocumentTypes<Result, Variables>;

/** A document that was parsed, such as a `TypedDocumentNode`. */
export interface ParsedDocument {
  readonly kind: 'Document';
  readonly loc?: { readonly source: { readonly body: string } } | undefined;
}

/** A document: text, or one that was parsed. */
export type TypedDocument<Result, Variables> = (string | ParsedDocument) & DocumentTypes<Result, Variables>;

/** Writes a document that was parsed as text: `print` of the package graphql. */
export type Print = (document: never) => string;

/** @throws TypeError where a document was parsed, does not have its text, and there is nothing to print it with. */
export function textOf(document: string | ParsedDocument, print: Print | undefined): string {
  if (typeof document === 'string' || document instanceof String) return String(document);
  const text = document.loc?.source.body ?? print?.(document as never);
  if (text === undefined) throw new TypeError('to send parsed documents, give the option print');
  return text;
}

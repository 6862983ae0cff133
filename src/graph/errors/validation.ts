import {
  ExecutableDefinitionsRule,
  FieldsOnCorrectTypeRule,
  FragmentsOnCompositeTypesRule,
  getNamedType,
  GraphQLError,
  isInputType,
  isLeafType,
  isRequiredArgument,
  Kind,
  KnownArgumentNamesRule,
  KnownDirectivesRule,
  KnownFragmentNamesRule,
  KnownTypeNamesRule,
  LoneAnonymousOperationRule,
  MaxIntrospectionDepthRule,
  NoFragmentCyclesRule,
  NoUndefinedVariablesRule,
  NoUnusedFragmentsRule,
  NoUnusedVariablesRule,
  OverlappingFieldsCanBeMergedRule,
  PossibleFragmentSpreadsRule,
  ProvidedRequiredArgumentsRule,
  ScalarLeafsRule,
  SingleFieldSubscriptionsRule,
  specifiedRules,
  typeFromAST,
  UniqueArgumentNamesRule,
  UniqueDirectivesPerLocationRule,
  UniqueFragmentNamesRule,
  UniqueInputFieldNamesRule,
  UniqueOperationNamesRule,
  UniqueVariableNamesRule,
  validate,
  ValuesOfCorrectTypeRule,
  VariablesAreInputTypesRule,
  VariablesInAllowedPositionRule,
  type ASTNode,
  type DocumentNode,
  type GraphQLArgument,
  type GraphQLInputType,
  type GraphQLSchema,
  type ValidationContext,
  type ValidationRule,
  type ValueNode,
} from 'graphql';
import { codes, type FieldFault } from '../../errors.js';
import { validationOptions } from '../query-limits.js';
import { literalFaults, notInDocument, variablePaths } from './input.js';

/** Why a document does not fit the schema, in our words, and the nodes that are to blame. */
export interface Misfit {
  code: 'GRAPHQL_VALIDATION_FAILED' | 'BAD_USER_INPUT' | 'LIMIT_EXCEEDED';
  message: string;
  fields?: readonly FieldFault[];
  nodes?: readonly ASTNode[];
}

/** A document that validation refused. */
export class DocumentRefused extends Error {
  constructor(readonly misfits: readonly Misfit[]) {
    super('the document does not fit the schema');
  }
}

/** What is said of a document that does not fit where no more is known. */
export const misfit = {
  code: 'GRAPHQL_VALIDATION_FAILED',
  message: 'The document does not fit the schema.',
} as const satisfies Misfit;

/**
 * Validates a document: what keeps it from being run, nothing where it fits. An error of graphql-js may hold a submitted
 * value, and does not tell which rule it is of, so that each rule is watched as it reports. Our words name nothing but
 * what the schema has.
 */
export function misfitsOf(document: DocumentNode, schema: GraphQLSchema, introspection: boolean): Misfit[] {
  const found: Misfit[] = [];
  const rules = introspection ? specifiedRules : [...specifiedRules, noIntrospection];
  const telling = rules.map((rule) =>
    rule === ValuesOfCorrectTypeRule ? literalsRule(found) : tellingRule(rule, found),
  );
  const { length } = validate(schema, document, telling, validationOptions);
  // The last may come from no rule: there were too many, or comparing the fields of the document took too long.
  if (length > validationOptions.maxErrors)
    found.push({ ...misfit, message: 'There are more faults than are listed here.' });
  else if (length > found.length) found.push({ code: 'LIMIT_EXCEEDED', message: codes.LIMIT_EXCEEDED });
  return found;
}

/** The rule, with a word of ours for each of its errors. */
function tellingRule(rule: ValidationRule, found: Misfit[]): ValidationRule {
  const told = new Map<ASTNode | undefined, number>();
  return (context) => {
    const reportError = (error: GraphQLError) => {
      context.reportError(error);
      const { nodes = [] } = error;
      const before = told.get(nodes[0]) ?? 0;
      told.set(nodes[0], before + 1);
      const message = wordsOf.get(rule)?.(context, nodes[0], before) ?? misfit.message;
      found.push({ ...misfit, message, nodes });
    };
    return rule(
      new Proxy(context, {
        get: (target, key) => (key === 'reportError' ? reportError : (Reflect.get(target, key) as unknown)),
      }),
    );
  };
}

/** In the place of graphql-js's own rule for literals: it refuses the same, and tells of each fault by its path. */
const literalsRule =
  (found: Misfit[]): ValidationRule =>
  (context) => {
    const tell = (literal: ValueNode, type: GraphQLInputType, path: string) => {
      for (const { node, ...fault } of literalFaults(literal, type, path)) {
        context.reportError(new GraphQLError(fault.message, { nodes: node }));
        found.push({ code: 'BAD_USER_INPUT', message: codes.BAD_USER_INPUT, fields: [fault], nodes: [node] });
      }
    };
    return {
      Argument({ value }) {
        const argument = context.getArgument();
        if (argument) tell(value, argument.type, argument.name);
      },
      VariableDefinition({ variable, type, defaultValue }) {
        const wanted = typeFromAST(context.getSchema(), type);
        if (!defaultValue || !isInputType(wanted)) return;
        const paths = variablePaths(context.getDocument(), context.getSchema());
        tell(defaultValue, wanted, paths.get(variable.name.value) ?? notInDocument);
      },
    };
  };

/** Apollo Server's rule for where introspection is off, which it keeps to itself. */
const noIntrospection: ValidationRule = (context) => ({
  Field(node) {
    if (node.name.value === '__schema' || node.name.value === '__type')
      context.reportError(new GraphQLError('', { nodes: node }));
  },
});

/**
 * What to say of an error, at the time that its rule reports it.
 * @param before how many errors the rule had for the same node before
 * @returns undefined where the words would name what is not of the schema
 */
type Words = (context: ValidationContext, node: ASTNode | undefined, before: number) => string | undefined;

/** The text; undefined where one of the names in it is not of the schema. */
const say = (texts: TemplateStringsArray, ...names: (string | undefined)[]) =>
  names.includes(undefined) ? undefined : String.raw({ raw: texts }, ...names);

const twice = () => 'One name is given twice.';

/** Our words for the errors of each rule but that for literals. */
export const wordsOf: ReadonlyMap<ValidationRule, Words> = new Map<ValidationRule, Words>([
  [ExecutableDefinitionsRule, () => 'A document holds operations and fragments only.'],
  [UniqueOperationNamesRule, twice],
  [LoneAnonymousOperationRule, () => 'An operation without a name must be the only one of its document.'],
  [SingleFieldSubscriptionsRule, () => 'A subscription selects exactly one field.'],
  [KnownTypeNamesRule, () => 'There is no type of that name.'],
  [
    FragmentsOnCompositeTypesRule,
    (context, node) => say`A fragment cannot be on type ${typeAt(node, context)}, which has no fields.`,
  ],
  [
    VariablesAreInputTypesRule,
    (context, node) => say`A variable cannot be of type ${typeAt(node, context)}, which is no input type.`,
  ],
  [
    ScalarLeafsRule,
    (context) =>
      isLeafType(getNamedType(context.getType()))
        ? say`Field ${context.getFieldDef()?.name} has no fields of its own to select.`
        : say`Field ${context.getFieldDef()?.name} needs a selection of its fields.`,
  ],
  [
    FieldsOnCorrectTypeRule,
    (context) => say`Type ${context.getParentType()?.name} has no field of that name.`,
  ],
  [UniqueFragmentNamesRule, twice],
  [KnownFragmentNamesRule, () => 'A fragment is spread that the document does not define.'],
  [NoUnusedFragmentsRule, () => 'A fragment is never used.'],
  [
    PossibleFragmentSpreadsRule,
    (context, node) =>
      say`An object of type ${context.getParentType()?.name} can never be of type ${typeAt(node, context)}.`,
  ],
  [NoFragmentCyclesRule, () => 'A fragment is spread within itself.'],
  [UniqueVariableNamesRule, twice],
  [NoUndefinedVariablesRule, () => 'A variable is used that the operation does not define.'],
  [NoUnusedVariablesRule, () => 'A variable is never used.'],
  [
    KnownDirectivesRule,
    (context) =>
      context.getDirective()
        ? say`Directive @${context.getDirective()?.name} cannot stand there.`
        : 'There is no directive of that name.',
  ],
  [
    UniqueDirectivesPerLocationRule,
    (context, node) => say`Directive @${directiveAt(node, context)} can stand only once in one place.`,
  ],
  [
    KnownArgumentNamesRule,
    (context) =>
      context.getDirective()
        ? say`Directive @${context.getDirective()?.name} has no argument of that name.`
        : say`Field ${context.getParentType()?.name}.${context.getFieldDef()?.name} has no argument of that name.`,
  ],
  [UniqueArgumentNamesRule, twice],
  [
    ProvidedRequiredArgumentsRule,
    (context, node, before) =>
      context.getDirective()
        ? say`Directive @${context.getDirective()?.name} needs argument ${missing(node, context.getDirective(), before)}.`
        : say`Field ${context.getFieldDef()?.name} needs argument ${missing(node, context.getFieldDef(), before)}.`,
  ],
  [VariablesInAllowedPositionRule, () => 'A variable is used where its type does not fit.'],
  [
    OverlappingFieldsCanBeMergedRule,
    () => 'Two fields of one name in the answer ask for different things: give them aliases.',
  ],
  [UniqueInputFieldNamesRule, twice],
  [MaxIntrospectionDepthRule, () => 'The introspection is nested too deep.'],
  [noIntrospection, () => 'Introspection is switched off.'],
]);

/** The name of the type that a node tells, of itself or of its fragment. */
function typeAt(node: ASTNode | undefined, context: ValidationContext): string | undefined {
  switch (node?.kind) {
    case Kind.NAMED_TYPE:
      return context.getSchema().getType(node.name.value)?.name;
    case Kind.LIST_TYPE:
    case Kind.NON_NULL_TYPE:
      return typeAt(node.type, context);
    case Kind.INLINE_FRAGMENT:
      return typeAt(node.typeCondition, context);
    case Kind.FRAGMENT_SPREAD:
      return typeAt(context.getFragment(node.name.value)?.typeCondition, context);
    default:
      return undefined;
  }
}

const directiveAt = (node: ASTNode | undefined, context: ValidationContext) =>
  node?.kind === Kind.DIRECTIVE ? context.getSchema().getDirective(node.name.value)?.name : undefined;

/** The name of the required argument that is left out, after so many others. */
function missing(
  node: ASTNode | undefined,
  defined: { args: readonly GraphQLArgument[] } | null | undefined,
  before: number,
): string | undefined {
  const given = node?.kind === Kind.FIELD || node?.kind === Kind.DIRECTIVE ? (node.arguments ?? []) : [];
  const names = new Set(given.map(({ name }) => name.value));
  return defined?.args.filter((argument) => isRequiredArgument(argument) && !names.has(argument.name))[before]
    ?.name;
}

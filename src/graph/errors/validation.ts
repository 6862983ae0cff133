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
import { codes, sentenceOf, type FieldFault } from '../../errors.js';
import { validationOptions } from '../query-limits.js';
import { literalFaults, notInDocument, variablePaths } from './input.js';
import { suggestFor, type Slip, type Suggest } from './suggest.js';

/** Why a document does not fit the schema, in our words, and the nodes that are to blame. */
export interface Misfit {
  code: 'GRAPHQL_VALIDATION_FAILED' | 'OPERATION_RESOLUTION_FAILURE' | 'BAD_USER_INPUT' | 'LIMIT_EXCEEDED';
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
 * what the schema has, or what of it was misspelt where introspection is allowed.
 */
export function misfitsOf(document: DocumentNode, schema: GraphQLSchema, introspection: boolean): Misfit[] {
  const found: Misfit[] = [];
  const rules = introspection ? specifiedRules : [...specifiedRules, noIntrospection];
  const suggest = suggestFor(introspection);
  const telling = rules.map((rule) =>
    rule === ValuesOfCorrectTypeRule ? literalsRule(found, suggest) : tellingRule(rule, found, suggest),
  );
  const { length } = validate(schema, document, telling, validationOptions);
  // The last may come from no rule: there were too many, or comparing the fields of the document took too long.
  if (length > validationOptions.maxErrors)
    found.push({ ...misfit, message: 'There are more faults than are listed here.' });
  else if (length > found.length) found.push({ code: 'LIMIT_EXCEEDED', message: codes.LIMIT_EXCEEDED });
  return found;
}

/** The rule, with a word of ours for each of its errors. */
function tellingRule(rule: ValidationRule, found: Misfit[], suggest: Suggest): ValidationRule {
  const told = new Map<ASTNode | undefined, number>();
  return (context) => {
    const reportError = (error: GraphQLError) => {
      context.reportError(error);
      const { nodes = [] } = error;
      const before = told.get(nodes[0]) ?? 0;
      told.set(nodes[0], before + 1);
      const message = wordsOf.get(rule)?.(context, nodes[0], before, suggest) ?? misfit.message;
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
  (found: Misfit[], suggest: Suggest): ValidationRule =>
  (context) => {
    const tell = (literal: ValueNode, type: GraphQLInputType, path: string) => {
      for (const { node, ...fault } of literalFaults(literal, type, path, suggest)) {
        context.reportError(new GraphQLError(fault.message, { nodes: node }));
        const fields = [fault];
        found.push({
          code: 'BAD_USER_INPUT',
          message: sentenceOf('BAD_USER_INPUT', fields),
          fields,
          nodes: [node],
        });
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
type Words = (
  context: ValidationContext,
  node: ASTNode | undefined,
  before: number,
  suggest: Suggest,
) => string | undefined;

/**
 * Of a name that is not there, with what may be said of it.
 * @param sign what such names are written with
 */
function noSuch(
  what: string | undefined,
  node: ASTNode | undefined,
  names: readonly string[],
  suggest: Suggest,
  sign = '',
): string | undefined {
  if (what === undefined) return undefined;
  const { name, nearest } = slipAt(node, names, suggest);
  const said = name === undefined ? 'of that name' : `${sign}${name}`;
  return nearest === undefined ? `${what} ${said}.` : `${what} ${said}: did you mean ${sign}${nearest}?`;
}

function slipAt(node: ASTNode | undefined, names: readonly string[], suggest: Suggest): Slip {
  const given = nameAt(node);
  return given === undefined ? {} : suggest(given, names);
}

function nameAt(node: ASTNode | undefined): string | undefined {
  if (node?.kind === Kind.NAME) return node.value;
  if (node?.kind === Kind.VARIABLE_DEFINITION) return node.variable.name.value;
  return node && 'name' in node ? node.name?.value : undefined;
}

/** A fault of a name that the document itself gave, with the name where that may be said. */
const ofName =
  (fault: string, sign = ''): Words =>
  (_, node, __, suggest) => {
    const { name } = slipAt(node, [], suggest);
    return name === undefined ? `${fault}.` : `${fault}: ${sign}${name}.`;
  };

const fragmentsOf = (context: ValidationContext) =>
  context
    .getDocument()
    .definitions.flatMap((one) => (one.kind === Kind.FRAGMENT_DEFINITION ? [one.name.value] : []));

const variablesOf = (context: ValidationContext) =>
  context
    .getDocument()
    .definitions.flatMap((one) =>
      one.kind === Kind.OPERATION_DEFINITION
        ? (one.variableDefinitions ?? []).map(({ variable }) => variable.name.value)
        : [],
    );

const namesOf = (named: readonly { name: string }[] | undefined) => (named ?? []).map(({ name }) => name);

/** The text; undefined where one of the names in it is not of the schema. */
const say = (texts: TemplateStringsArray, ...names: (string | undefined)[]) =>
  names.includes(undefined) ? undefined : String.raw({ raw: texts }, ...names);

const twice = ofName('One name is given twice');

/** Our words for the errors of each rule but that for literals. */
export const wordsOf: ReadonlyMap<ValidationRule, Words> = new Map<ValidationRule, Words>([
  [ExecutableDefinitionsRule, () => 'A document holds operations and fragments only.'],
  [UniqueOperationNamesRule, twice],
  [LoneAnonymousOperationRule, () => 'An operation without a name must be the only one of its document.'],
  [SingleFieldSubscriptionsRule, () => 'A subscription selects exactly one field.'],
  [
    KnownTypeNamesRule,
    (context, node, _, suggest) =>
      noSuch('There is no type', node, Object.keys(context.getSchema().getTypeMap()), suggest),
  ],
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
    (context, node, _, suggest) => {
      const parent = context.getParentType();
      const names = parent && 'getFields' in parent ? Object.keys(parent.getFields()) : [];
      return noSuch(say`Type ${parent?.name} has no field`, node, names, suggest);
    },
  ],
  [UniqueFragmentNamesRule, twice],
  [
    KnownFragmentNamesRule,
    (context, node, _, suggest) =>
      noSuch('The document defines no fragment', node, fragmentsOf(context), suggest),
  ],
  [NoUnusedFragmentsRule, ofName('A fragment is never used')],
  [
    PossibleFragmentSpreadsRule,
    (context, node) =>
      say`An object of type ${context.getParentType()?.name} can never be of type ${typeAt(node, context)}.`,
  ],
  [NoFragmentCyclesRule, ofName('A fragment is spread within itself')],
  [UniqueVariableNamesRule, twice],
  [
    NoUndefinedVariablesRule,
    (context, node, _, suggest) =>
      noSuch('The operation defines no variable', node, variablesOf(context), suggest, '$'),
  ],
  [NoUnusedVariablesRule, ofName('A variable is never used', '$')],
  [
    KnownDirectivesRule,
    (context, node, _, suggest) =>
      context.getDirective()
        ? say`Directive @${context.getDirective()?.name} cannot stand there.`
        : noSuch('There is no directive', node, namesOf(context.getSchema().getDirectives()), suggest),
  ],
  [
    UniqueDirectivesPerLocationRule,
    (context, node) => say`Directive @${directiveAt(node, context)} can stand only once in one place.`,
  ],
  [
    KnownArgumentNamesRule,
    (context, node, _, suggest) => {
      const [directive, field] = [context.getDirective(), context.getFieldDef()];
      const what = directive
        ? say`Directive @${directive.name} has no argument`
        : say`Field ${context.getParentType()?.name}.${field?.name} has no argument`;
      return noSuch(what, node, namesOf((directive ?? field)?.args), suggest);
    },
  ],
  [UniqueArgumentNamesRule, twice],
  [
    ProvidedRequiredArgumentsRule,
    (context, node, before) =>
      context.getDirective()
        ? say`Directive @${context.getDirective()?.name} needs argument ${missing(node, context.getDirective(), before)}.`
        : say`Field ${context.getFieldDef()?.name} needs argument ${missing(node, context.getFieldDef(), before)}.`,
  ],
  [VariablesInAllowedPositionRule, ofName('A variable is used where its type does not fit', '$')],
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

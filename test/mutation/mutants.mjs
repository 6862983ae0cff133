import ts from 'typescript';
import { isSql, sqlMistakes } from './sql.mjs';

/**
 * Each small mistake that can be made in a file: `kind`, `start` and `end` of what is replaced, what stands there then
 * (`by`), its `line`, and that line before (`from`) and after (`to`). Decorators are left out: the schema that they make
 * is compared by a test of its own.
 */
export function mutantsOf(path, text) {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const lineAt = (at) => text.slice(at).split('\n', 1)[0];
  const found = [];
  const put = (kind, start, end, by) => {
    if (text.slice(start, end) === by) return;
    const line = source.getLineAndCharacterOfPosition(start).line;
    const from = source.getLineStarts()[line];
    found.push({
      path,
      kind,
      start,
      end,
      by,
      line: line + 1,
      from: lineAt(from).trim(),
      to: (text.slice(from, start) + by + lineAt(end)).trim(),
    });
  };
  const replace = (kind, node, by) => put(kind, node.getStart(source), node.getEnd(), by);
  const own = (node) => node.getText(source);

  const visit = (node) => {
    if (ts.isDecorator(node) || ts.isTypeNode(node) || ts.isImportDeclaration(node)) return;
    if (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) || ts.isEnumDeclaration(node))
      return;
    mistakes(node, { put, replace, own, source });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const flips = { '===': '!==', '!==': '===', '<': '<=', '<=': '<', '>': '>=', '>=': '>', '+': '-', '-': '+' };

function mistakes(node, { put, replace, own, source }) {
  if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node))
    return inText(node, { put, own, source });
  if (ts.isBinaryExpression(node)) {
    const sign = node.operatorToken;
    if (sign.kind === ts.SyntaxKind.AmpersandAmpersandToken || sign.kind === ts.SyntaxKind.BarBarToken) {
      replace('logic', node, own(node.left));
      replace('logic', node, own(node.right));
    } else if (own(sign) in flips && !(own(sign) === '+' && isText(node)))
      replace('comparison', sign, flips[own(sign)]);
  }
  if (ts.isIfStatement(node)) {
    if (!isThrow(node.thenStatement)) replace('if', node.expression, 'false');
    replace('if', node.expression, `!(${own(node.expression)})`);
  }
  if (ts.isThrowStatement(node)) replace('throw', node, ';');
  if (ts.isConditionalExpression(node)) {
    replace('choice', node, own(node.whenTrue));
    replace('choice', node, own(node.whenFalse));
  }
  if (ts.isExpressionStatement(node) && isCall(node.expression) && !own(node).startsWith('registerEnumType('))
    replace('call', node, ';');
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken)
    replace('not', node, own(node.operand));
  if (ts.isNumericLiteral(node)) {
    const value = Number(node.text);
    replace('constant', node, String(value === 0 ? 1 : value * 2));
  }
  if (node.kind === ts.SyntaxKind.TrueKeyword) replace('constant', node, 'false');
  if (node.kind === ts.SyntaxKind.FalseKeyword) replace('constant', node, 'true');
  if (ts.isPropertyAccessExpression(node) && ['some', 'every'].includes(node.name.text))
    replace('every', node.name, node.name.text === 'some' ? 'every' : 'some');
  if (ts.isArrayLiteralExpression(node) && node.elements.length > 1) {
    for (const element of node.elements) {
      if (!ts.isStringLiteral(element) && !ts.isPropertyAccessExpression(element)) continue;
      replace(
        'element',
        node,
        `[${node.elements
          .filter((other) => other !== element)
          .map(own)
          .join(', ')}]`,
      );
    }
  }
  const isSide = (name) => /(Id|At|Until|reason|accounts?|projects?)$/.test(name);
  if (ts.isPropertyAssignment(node) && isSide(own(node.name)) && own(node.initializer) !== 'null')
    replace('field', node.initializer, 'null');
  if (ts.isShorthandPropertyAssignment(node) && isSide(own(node.name)))
    replace('field', node, `${own(node.name)}: null`);
}

/** The mistakes in a literal that is SQL, where what stands in `${…}` is one word. */
function inText(node, { put, own, source }) {
  let text = own(node).slice(1, -1);
  const start = node.getStart(source) + 1;
  if (ts.isTemplateExpression(node))
    for (const { expression } of node.templateSpans) {
      const [from, to] = [expression.getFullStart() - 2 - start, expression.getEnd() + 1 - start];
      text = text.slice(0, from) + '§'.repeat(to - from) + text.slice(to);
    }
  // An escaped quote of the literal is none of SQL's.
  if (!isSql(text) || text.includes('\\')) return;
  for (const { kind, start: from, end, by } of sqlMistakes(text)) {
    const plain = node.getText(source).startsWith("'") && by.includes("'");
    if (!plain) put(`sql ${kind}`, start + from, start + end, by);
  }
}

const isThrow = (statement) =>
  ts.isThrowStatement(statement) ||
  (ts.isBlock(statement) && statement.statements.length === 1 && isThrow(statement.statements[0]));
const isCall = (node) =>
  ts.isCallExpression(node)
    ? node.expression.kind !== ts.SyntaxKind.SuperKeyword
    : (ts.isAwaitExpression(node) || ts.isVoidExpression(node)) && isCall(node.expression);
const isText = ({ left, right }) =>
  [left, right].some((side) => ts.isStringLiteralLike(side) || ts.isTemplateExpression(side));

/** As many mutants as asked for, evenly over the files, and in each file over the kinds; the same for the same seed. */
export function sample(files, count, seed) {
  const random = randomFrom(seed);
  const left = shuffled(files, random).map((mutants) => byKind(mutants, random));
  const taken = [];
  while (taken.length < count && left.some((kinds) => kinds.length > 0)) {
    for (const kinds of left) {
      const kind = kinds.shift();
      if (!kind || taken.length === count) continue;
      taken.push(kind.shift());
      if (kind.length > 0) kinds.push(kind);
    }
  }
  return taken;
}

function byKind(mutants, random) {
  const kinds = new Map();
  for (const mutant of shuffled(mutants, random))
    kinds.set(mutant.kind, [...(kinds.get(mutant.kind) ?? []), mutant]);
  return shuffled([...kinds.values()], random);
}

function shuffled(all, random) {
  return all
    .map((one) => ({ one, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
}

/** Mulberry32: numbers from 0 to 1, always the same ones for a seed. */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Small mistakes in SQL. What stands in `${…}` of a template counts as one word: it is text of its own elsewhere.

/** Whether a text is SQL, or a part of a statement. */
export const isSql = (text) =>
  /\b(SELECT|UPDATE|INSERT INTO|DELETE FROM|WHERE|RETURNING|EXISTS|COALESCE|IS NULL|IS NOT NULL|AND|OR|SET|CASE WHEN|= ANY)\b|^\w+\.\w+ (=|<|>)|\w+ = NULL/.test(
    text,
  );

const words = /'(?:[^']|'')*'|[A-Za-z_§"][\w."§]*|:\w+|\d+|<>|<=|>=|::|[<>=(),]|[^\s\w]/g;

/** The words of a text, each with its place and how many parentheses it stands in. */
function read(text) {
  let depth = 0;
  return [...text.matchAll(words)].map(({ 0: word, index }) => {
    if (word === ')') depth--;
    const token = { word, upper: word.toUpperCase(), start: index, end: index + word.length, depth };
    if (word === '(') depth++;
    return token;
  });
}

const before = new Set(['WHERE', 'ON', 'AND', 'OR', 'WHEN', 'HAVING', 'NOT', 'SELECT', 'THEN', 'ELSE']);
const after = new Set(
  'AND OR GROUP ORDER LIMIT RETURNING FOR ON UNION THEN WHEN ELSE END JOIN LEFT CROSS INNER SET DO WHERE FROM AS ,'.split(
    ' ',
  ),
);

/** The place of the condition that ends ahead of a word, or begins behind it. */
function conditionAt(tokens, at, step) {
  const { depth } = tokens[at];
  const ends = step < 0 ? before : after;
  let last = at;
  for (let next = at + step; tokens[next] && tokens[next].depth >= depth; next += step) {
    const { upper, depth: own } = tokens[next];
    if (own === depth && (ends.has(upper) || (step < 0 && upper === ','))) break;
    last = next;
  }
  return last === at ? undefined : [tokens[Math.min(last, at + step)], tokens[Math.max(last, at + step)]];
}

/** The parts of a list from a word on, up to one of these on the same level. */
function listFrom(tokens, first, until) {
  const depth = tokens[first]?.depth;
  const parts = [];
  let part = [];
  for (const token of tokens.slice(first)) {
    if (token.depth < depth || (token.depth === depth && until.has(token.upper))) break;
    if (token.depth === depth && token.word === ',') {
      parts.push(part);
      part = [];
    } else part.push(token);
  }
  return [...parts, part].filter((each) => each.length > 0);
}

const flips = { '<': '<=', '<=': '<', '>': '>=', '>=': '>', '=': '<>', '<>': '=' };
const swaps = { GREATEST: 'least', LEAST: 'greatest' };
const endsOfSet = new Set(['FROM', 'WHERE', 'RETURNING']);
const endsOfOrder = new Set(['LIMIT', 'FOR', 'RETURNING', 'ROWS', 'RANGE']);

/** Each mistake that can be made in a text, as what is put where. */
export function sqlMistakes(text) {
  const tokens = read(text);
  const found = [];
  const put = (kind, start, end, by) => found.push({ kind, start, end, by });
  const assigned = new Set();

  tokens.forEach((token, at) => {
    const { upper, start, end, depth } = token;
    if (upper === 'AND' && !isBetween(tokens, at)) {
      for (const step of [-1, 1]) {
        const [from, to] = conditionAt(tokens, at, step) ?? [];
        if (from && text.slice(from.start, to.end) !== 'true') put('condition', from.start, to.end, 'true');
      }
    }
    if (upper === 'OR') put('or', start, end, 'AND');
    if (upper === 'SET') {
      const parts = listFrom(tokens, at + 1, endsOfSet);
      for (const part of parts) {
        const sign = part.find(({ word, depth: own }) => word === '=' && own === depth);
        if (sign) assigned.add(sign.start);
      }
      parts.forEach((part, index) => {
        const [next, previous] = [parts[index + 1]?.[0], parts[index - 1]?.at(-1)];
        if (next) put('column', part[0].start, next.start, '');
        else if (previous) put('column', previous.end, part.at(-1).end, '');
      });
    }
    if (upper === 'RETURNING') {
      for (const part of listFrom(tokens, at + 1, new Set())) {
        const name = part.at(-1).word.split('.').at(-1);
        if (!/^\d/.test(name)) put('column', part[0].start, part.at(-1).end, `NULL AS ${name}`);
      }
    }
    if (upper === 'VALUES' && tokens[at + 1]?.word === '(') {
      for (const part of listFrom(tokens, at + 2, new Set()))
        if (part[0].upper !== 'NULL') put('column', part[0].start, part.at(-1).end, 'NULL');
    }
    if (upper === 'INSERT') {
      const select = tokens.findIndex(
        ({ upper: word, depth: own }, i) => i > at && word === 'SELECT' && own === depth,
      );
      if (select > 0)
        for (const part of listFrom(tokens, select + 1, new Set(['FROM', 'WHERE'])))
          if (part[0].upper !== 'NULL') put('column', part[0].start, part.at(-1).end, 'NULL');
    }
    if (upper === 'IN' && tokens[at + 1]?.word === '(') {
      const parts = listFrom(tokens, at + 2, new Set());
      if (parts.length > 1 && parts.every(([first]) => first.word.startsWith("'")))
        parts.forEach((part, index) => {
          const next = parts[index + 1]?.[0];
          if (next) put('element', part[0].start, next.start, '');
          else put('element', parts[index - 1].at(-1).end, part.at(-1).end, '');
        });
    }
    if (upper === 'ORDER' && tokens[at + 1]?.upper === 'BY') {
      const [part] = listFrom(tokens, at + 2, endsOfOrder);
      const last = part?.at(-1);
      if (last?.upper === 'DESC') put('order', last.start, last.end, 'ASC');
      else if (last) put('order', last.end, last.end, ' DESC');
    }
    if (upper in swaps) put('function', start, end, swaps[upper]);
  });
  for (const { word, start, end } of tokens)
    if (word in flips && !assigned.has(start) && !/^\s*ANY\b/.test(text.slice(end)))
      put('comparison', start, end, flips[word]);

  const phrases = [
    ['null', /\bIS NULL\b/g, 'IS NOT NULL'],
    ['null', /\bIS NOT NULL\b/g, 'IS NULL'],
    ['comparison', /\bIS DISTINCT FROM\b/g, 'IS NOT DISTINCT FROM'],
    ['comparison', /\bIS NOT DISTINCT FROM\b/g, 'IS DISTINCT FROM'],
    ['not', /\bNOT EXISTS\b/g, 'EXISTS'],
    [
      'lock',
      /\bFOR (?:NO KEY )?(?:UPDATE|(?:KEY )?SHARE)(?: OF \w+(?:, \w+)*)?(?: SKIP LOCKED| NOWAIT)?/g,
      '',
    ],
    ['lock', / SKIP LOCKED/g, ''],
  ];
  for (const [kind, phrase, by] of phrases)
    for (const { 0: word, index } of text.matchAll(phrase)) put(kind, index, index + word.length, by);
  return found;
}

function isBetween(tokens, at) {
  for (let i = at - 1; i >= 0 && tokens[i].depth >= tokens[at].depth; i--) {
    if (tokens[i].depth !== tokens[at].depth) continue;
    if (tokens[i].upper === 'BETWEEN') return true;
    if (tokens[i].upper === 'AND' || before.has(tokens[i].upper)) return false;
  }
  return false;
}

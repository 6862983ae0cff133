const offered = ['application/json', 'application/graphql-response+json'] as const;

/** What an answer of the graph is sent as: the same JSON. The second tells a client that it comes from the graph. */
export type MediaType = (typeof offered)[number];

/**
 * The media type that a client wants most, by the weights of its Accept header (RFC 9110, section 12.5.1): the one that
 * it names first where several weigh the same, and JSON where it says nothing. Undefined where it takes neither.
 */
export function mediaTypeFor(accept: string | undefined): MediaType | undefined {
  if (accept === undefined || accept.trim() === '') return offered[0];
  const ranges = accept.split(',').map(rangeOf);
  const [best] = offered
    .map((type) => ({ type, ...weightOf(type, ranges) }))
    .filter(({ weight }) => weight > 0)
    .sort((one, other) => other.weight - one.weight || one.place - other.place);
  return best?.type;
}

interface Range {
  name: string;
  weight: number;
}

function rangeOf(text: string): Range {
  const [name = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const weight = parameters.find((parameter) => /^q\s*=/.test(parameter))?.replace(/^q\s*=\s*/, '');
  return { name, weight: weight === undefined ? 1 : /^[01](\.\d{0,3})?$/.test(weight) ? Number(weight) : 0 };
}

/** By the range that names the type most closely. */
function weightOf(type: MediaType, ranges: readonly Range[]): { weight: number; place: number } {
  for (const name of [type, 'application/*', '*/*']) {
    const place = ranges.findIndex((range) => range.name === name);
    const range = ranges[place];
    if (range) return { weight: range.weight, place };
  }
  return { weight: 0, place: Infinity };
}

/**
 * Characters that a terminal acts on, or that change the order in which others are shown: controls, marks of format
 * (but for the joiner of emoji), separators of lines, halves of characters.
 */
const acting = /(?!\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

const escaped = (character: string) =>
  character === '\n' ? '\\n' : `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;

/** A text of somebody else's as one line that does nothing to a terminal. */
export const plain = (text: string): string => text.replace(acting, escaped);

/** The same for a text that may have several lines. */
export const plainLines = (text: string): string =>
  text.replace(acting, (character) => (character === '\n' ? character : escaped(character)));

/** The same within JSON, which means the same as before. */
export const plainJson = (json: string): string =>
  json.replace(acting, (character) =>
    character === '\n'
      ? character
      : [...Array(character.length).keys()]
          .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
          .join(''),
  );

/** An answer of the graph without what is left of its caller's minute, which is less each time. */
export const withoutLimits = (text: string): string => text.replace(/,?"rateLimit":\{[^}]*\}/, '');

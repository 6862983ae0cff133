import { renderSVG } from 'uqr';

// ISO/IEC 18004 asks for four modules of white around it; without them scanners do not find it on a dark page.
const border = 4;

/** A text as a QR code: an SVG picture, as a data URI that an `img` takes. */
export const qrCode = (text: string): string =>
  `data:image/svg+xml;base64,${Buffer.from(renderSVG(text, { ecc: 'M', border })).toString('base64')}`;

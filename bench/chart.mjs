// The results as a picture: a bar for each contestant and request.
import { requests } from './questions.mjs';

const [width, left, right, barHeight, gap] = [720, 150, 110, 14, 4];

/** An SVG of requests a second, each request with a scale of its own. @param medians as of `summary`. */
export function chart(medians) {
  const parts = [];
  let y = 20;
  for (const [request, about] of Object.entries(requests)) {
    const bars = Object.entries(medians)
      .filter(([, measured]) => measured[request])
      .map(([name, measured]) => ({ name, rate: measured[request].requestsPerSecond }))
      .sort((a, b) => b.rate - a.rate);
    if (bars.length === 0) continue;
    parts.push(`<text x="8" y="${y}" font-weight="bold">${request}: ${about}</text>`);
    y += 10;
    for (const { name, rate } of bars) {
      const length = (rate / bars[0].rate) * (width - left - right);
      parts.push(
        `<text x="${left - 8}" y="${y + barHeight - 3}" text-anchor="end">${name}</text>`,
        `<rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" fill="${colourOf(name)}"/>`,
        `<text x="${(left + length + 6).toFixed(1)}" y="${y + barHeight - 3}">${Math.round(rate).toLocaleString('en')} a second</text>`,
      );
      y += barHeight + gap;
    }
    y += 26;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" font-family="sans-serif" font-size="12">
<title>Requests a second, Keyway beside its peers</title>
<rect width="${width}" height="${y}" fill="#fff"/>
<g fill="#222">
${parts.join('\n')}
</g>
</svg>
`;
}

const colourOf = (name) => (name.startsWith('keyway') ? '#1a6fb4' : name === 'limit' ? '#bbb' : '#7a9a6b');

import { useEffect, useRef, useSyncExternalStore } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { texts } from '../texts.ts';

export interface Point {
  /** A day of UTC, such as 2026-12-24. */
  day: string;
  count: number;
}

const height = 160;

/** Counts of days or weeks as bars, and for whoever cannot see those, or wants the figures, as a table. */
export default function Plot({ title, points }: { title: string; points: readonly Point[] }) {
  const place = useRef<HTMLDivElement>(null);
  const colours = useSyncExternalStore(onColours, coloursNow);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const plot = new uPlot(optionsFor(element), dataOf(points), element);
    const watch = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [points, colours]);
  return (
    <figure className="plot">
      <figcaption>
        {title}{' '}
        <strong>{points.reduce((sum, { count }) => sum + count, 0).toLocaleString(texts.locale)}</strong>
      </figcaption>
      <div ref={place} className="bars" aria-hidden="true" />
      <details>
        <summary>
          {texts.overview.figures}
          <span className="unseen">: {title}</span>
        </summary>
        <table>
          <thead>
            <tr>
              <th scope="col">{texts.overview.day}</th>
              <th scope="col">{texts.overview.count}</th>
            </tr>
          </thead>
          <tbody>
            {points
              .filter(({ count }) => count > 0)
              .map(({ day, count }) => (
                <tr key={day}>
                  <td>{day}</td>
                  <td>{count.toLocaleString(texts.locale)}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}

const dataOf = (points: readonly Point[]): uPlot.AlignedData => [
  points.map(({ day }) => Date.parse(day) / 1_000),
  // Of nothing there is no bar, not even a flat one.
  points.map(({ count }) => (count === 0 ? null : count)),
];

function optionsFor(element: HTMLElement): uPlot.Options {
  // A canvas knows no variables of a style sheet: what the elements around it have come to is asked for.
  const { color: bar, borderColor: line } = getComputedStyle(element);
  const { color: words } = getComputedStyle(element.parentElement ?? element);
  const axis = { stroke: words, grid: { stroke: line, width: 1 }, ticks: { show: false } };
  return {
    width: element.clientWidth,
    height,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1_000), 'Etc/UTC'),
    cursor: { show: false },
    legend: { show: false },
    scales: { y: { range: (_, __, most) => [0, Math.max(most, 4)] } },
    axes: [
      axis,
      { ...axis, size: 44, incrs: steps, values: (_, at) => at.map((count) => short.format(count)) },
    ],
    series: [{}, { fill: bar, stroke: bar, points: { show: false }, paths: bars }],
  };
}

/** What lies between two lines of a scale of whole numbers. */
const steps = Array.from({ length: 12 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat();

/** Such as 1.2M: the figures beside a plot have no room for more. */
const short = new Intl.NumberFormat(texts.locale, { notation: 'compact' });

const bars = uPlot.paths.bars?.({ size: [0.7, 48] });

/** Tells when the colours of the page change, by the system or by hand. */
function onColours(changed: () => void): () => void {
  const watch = new MutationObserver(changed);
  watch.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  systemIsDark.addEventListener('change', changed);
  return () => {
    watch.disconnect();
    systemIsDark.removeEventListener('change', changed);
  };
}

const systemIsDark = matchMedia('(prefers-color-scheme: dark)');
const coloursNow = () => `${document.documentElement.dataset.theme} ${systemIsDark.matches}`;

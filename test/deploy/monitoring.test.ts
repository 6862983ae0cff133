/**
 * @slow 10 s
 * @embedded files that are for others to run
 */
import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { anchors, read } from '../support/pages.js';
import { metricsOf, scrape } from '../support/scrape.js';
import { startTestServer } from '../support/server.js';

// What watches over Keyway: rules for Prometheus and a dashboard for Grafana. Each is held to what is served.

interface Rule {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: string };
  annotations: { summary: string; action: string; runbook: string };
}
interface Panel {
  id: number;
  type: string;
  title: string;
  fieldConfig?: { defaults: { unit?: string } };
  targets?: { refId: string; expr: string; legendFormat: string }[];
  gridPos: { x: number; y: number; w: number; h: number };
}

const { groups } = parse(read('deploy/prometheus/alerts.yaml')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(read('deploy/grafana/keyway.json')) as { title: string; panels: Panel[] };
const charts = dashboard.panels.filter(({ type }) => type !== 'row');
const expressions = [
  ...rules.map(({ alert, expr }) => ({ of: alert, expr })),
  ...charts.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ of: title, expr }))),
];

/** The names of what is served at /metrics, and the labels of each, as docs/metrics.md has them. */
const labelsOf = new Map(
  [...read('docs/metrics.md').matchAll(/^\| `(keyway_\w+)` *\| (\w+) *\| ([^|]*)\|/gm)].map(
    ([, name = '', , labels = '']) => [name, [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label)],
  ),
);
/** What Prometheus itself adds. */
const added = ['instance', 'job', 'le'];
const baseOf = (name: string) => name.replace(/_(bucket|sum|count)$/, '');
const selectors = (expr: string) => [...expr.matchAll(/\b((?:keyway|process|nodejs)_\w+)(?:\{([^}]*)\})?/g)];

test('each metric in an expression is one that is served', async () => {
  const server = await startTestServer({ KEYWAY_METRICS_PORT: '0' });
  try {
    const { text } = await scrape(metricsOf(server));
    const served = new Set([...text.matchAll(/^# TYPE (\w+) /gm)].map(([, name]) => name));
    const named = expressions.flatMap(({ of, expr }) => {
      const names = selectors(expr).map(([, name = '']) => name);
      return names.length === 0 && !/^up\{/.test(expr)
        ? [`${of}: no metric`]
        : names.filter((name) => !served.has(name) && !served.has(baseOf(name)));
    });
    expect(named).toEqual([]);
  } finally {
    await server.stop();
  }
});

test('each label in an expression is one that the metric has', () => {
  const wrong = expressions.flatMap(({ of, expr }) => {
    const labels = selectors(expr).flatMap(([, name = '']) => labelsOf.get(baseOf(name)) ?? []);
    const used = [
      ...selectors(expr).flatMap(([, , matchers = '']) => [...matchers.matchAll(/(\w+)\s*(?:=~|!=|!~|=)/g)]),
      ...[...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => [...list.matchAll(/(\w+)/g)]),
    ].map(([, label = '']) => label);
    return used.filter((label) => ![...labels, ...added].includes(label)).map((label) => `${of}: ${label}`);
  });
  expect(wrong).toEqual([]);
});

test('each code, part and result in an expression is one that there is', () => {
  const known = `${read('docs/metrics.md')}${read('docs/errors.md')}${read('docs/verification.md')}`;
  const values = expressions.flatMap(({ expr }) =>
    [...expr.matchAll(/\b(?:code|part|result|state|kind|route)\s*(?:=~|!=|=)\s*"([^"]*)"/g)].flatMap(
      ([, value = '']) => value.split('|'),
    ),
  );
  expect(values.length).toBeGreaterThan(10);
  expect(values.filter((value) => !known.includes(value))).toEqual([]);
});

test.each(rules.map((rule) => [rule.alert, rule] as const))(
  '%s says what to do, and leads to a passage that is there',
  (_, { labels, annotations: { summary, action, runbook } }) => {
    expect(['page', 'ticket']).toContain(labels.severity);
    for (const sentence of [summary, action]) expect(sentence).toMatch(/^.{20,}\.$/);
    const [page = '', anchor] = runbook.split('#');
    expect([runbook, existsSync(page)]).toEqual([runbook, true]);
    if (anchor !== undefined) expect(anchors(read(page))).toContain(anchor);
  },
);

test('each rule has a name of its own, and the ones that matter most are there', () => {
  const names = rules.map(({ alert }) => alert);
  expect(new Set(names).size).toBe(names.length);
  const expressionsOf = rules.map(({ expr }) => expr).join('\n');
  for (const watched of [
    ...['keyway_part_up', 'keyway_request_duration_seconds_count', 'keyway_request_duration_seconds_bucket'],
    ...['keyway_store_circuit', 'keyway_rotation_overdue_seconds', 'keyway_audit_stream_behind_seconds'],
    ...['keyway_checkpoint_age_seconds', 'keyway_credentials_unknown', 'keyway_database_waiting'],
  ])
    expect(expressionsOf).toContain(watched);
});

test('each chart has a title, a unit, a place of its own and a legend', () => {
  expect(charts.length).toBeGreaterThan(25);
  for (const { title, fieldConfig, targets = [] } of charts) {
    expect(title).toMatch(/\S{2}/);
    expect([title, fieldConfig?.defaults.unit]).toEqual([title, expect.stringMatching(/^\w+$/)]);
    expect(targets.length).toBeGreaterThan(0);
    for (const { legendFormat } of targets)
      expect([title, legendFormat]).toEqual([title, expect.stringMatching(/\S/)]);
  }
  const ids = dashboard.panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, at) => `${x + (at % w)} ${y + Math.floor(at / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(Math.max(...dashboard.panels.map(({ gridPos: { x, w } }) => x + w))).toBeLessThanOrEqual(24);
});

test('each metric of Keyway is on the dashboard', () => {
  const shown = charts.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)).join('\n');
  expect([...labelsOf.keys()].filter((name) => !shown.includes(name))).toEqual([]);
});

test('the tests of the rules are of rules that there are', () => {
  const tested = parse(readFileSync('deploy/prometheus/alerts.test.yaml', 'utf8')) as {
    rule_files: string[];
    tests: { name: string; promql_expr_test: { expr: string }[] }[];
  };
  expect(tested.rule_files).toEqual(['alerts.yaml']);
  const names = tested.tests.map(({ name }) => name);
  expect(names.sort()).toEqual(rules.map(({ alert }) => alert).sort());
});

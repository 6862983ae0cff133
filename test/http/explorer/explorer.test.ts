import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { buildSchema, Kind, parse, validate, type OperationDefinitionNode } from 'graphql';
import { getVariableValues } from 'graphql/execution/values.js';
import { examples } from '../../../src/http/explorer/examples.js';
import { explorerPage } from '../../../src/http/explorer/page.js';

describe('the page', () => {
  const { html, gzip, etag, contentSecurityPolicy } = explorerPage();
  const scripts = [...html.matchAll(/<script>(.*?)<\/script>/gs)].map(([, script = '']) => script);
  const styles = [...html.matchAll(/<style>(.*?)<\/style>/gs)].map(([, style = '']) => style);
  const markup = html.replace(/<(script|style)>.*?<\/\1>/gs, '');
  const directives = new Map(
    contentSecurityPolicy.split('; ').map((directive) => {
      const [name = '', ...sources] = directive.split(' ');
      return [name, sources];
    }),
  );

  test('is made once, and sent as it is or compressed', () => {
    expect(explorerPage()).toBe(explorerPage());
    expect(gunzipSync(gzip).toString() === html).toBe(true);
    expect(etag).toMatch(/^"[\w-]{43}"$/);
  });

  test('has the store of a demo in its example, and its policy names that page’s scripts', () => {
    const brought = {
      storeAddress: 'http://127.0.0.1:9',
      storeKey: 'key-of-the-demo',
      storeSecret: 'of-nobody',
    };
    const demo = explorerPage(brought);
    for (const value of Object.values(brought)) {
      expect(demo.html.includes(value)).toBe(true);
      expect(html.includes(value)).toBe(false);
    }
    const [, bar = ''] = /<script>(.*?)<\/script>/s.exec(demo.html) ?? [];
    expect(demo.contentSecurityPolicy).toContain(createHash('sha256').update(bar).digest('base64'));
    expect([bar.includes('const demo = true;'), html.includes('const demo = true;')]).toEqual([true, false]);
  });

  test('fetches nothing by its markup or its styles', () => {
    expect(markup).not.toMatch(/<(?:script|iframe|img|object|embed|base)\b/);
    expect([...markup.matchAll(/\b(?:src|href|action)="(?!data:)/g)]).toEqual([]);
    for (const style of styles) {
      expect(/@import/.test(style)).toBe(false);
      expect([...style.matchAll(/url\((?!["']?data:)[^)]{0,40}/g)].map(([url]) => url)).toEqual([]);
    }
  });

  test('allows no host but its own, and no source that it does not need', () => {
    expect(Object.fromEntries(directives)).toEqual({
      'default-src': ["'none'"],
      'script-src': expect.anything() as unknown,
      'worker-src': ['blob:'],
      'style-src': ["'unsafe-inline'"],
      'font-src': ['data:'],
      'img-src': ['data:'],
      'connect-src': ["'self'"],
      'base-uri': ["'none'"],
      'form-action': ["'none'"],
      'frame-ancestors': ["'none'"],
    });
  });

  test('runs the scripts that its policy names by their hashes, and no other', () => {
    const hashes = scripts.map(
      (script) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`,
    );
    expect(hashes).toHaveLength(2);
    expect(directives.get('script-src')).toEqual(hashes);
    expect(markup).not.toMatch(/\son\w+\s*=/i);
    expect(markup).not.toMatch(/javascript:/i);
  });

  test('keeps no header, and holds the token in the memory of the tab', () => {
    const [bar = ''] = scripts;
    expect(html).toContain('"shouldPersistHeaders":false');
    expect(html).toContain('"isHeadersEditorEnabled":false');
    expect(bar).toContain('sessionStorage.setItem(stored, token)');
    expect(bar).not.toMatch(/localStorage\.|document\.cookie|history\.pushState/);
  });

  test('is titled Keyway, and opens one tab for each example', () => {
    expect(markup).toContain('<title>Keyway</title>');
    for (const { query } of examples()) expect(html.includes(`"query":${JSON.stringify(query)}`)).toBe(true);
  });
});

describe('the examples', () => {
  const schema = buildSchema(readFileSync(new URL('../../../schema.graphql', import.meta.url), 'utf8'));
  const all = examples().map((example) => ({ ...example, operation: onlyOperation(example.query) }));
  // Which example's answer holds what goes into a variable of this name, or what that is made of.
  const sources = new Map([
    ['account', 'CreateAccount'],
    ['owner', 'CreateSubAccount'],
    ['project', 'CreateProject'],
    ['role', 'CreateRole'],
    ['grant', 'GrantRole'],
    ['credential', 'CreateAccessKey'],
    ['accessKey', 'CreateAccessKey'],
    ['secret', 'CreateAccessKey'],
    ['timestamp', 'CreateAccessKey'],
    ['signature', 'CreateAccessKey'],
    ['token', 'CreateToken'],
    ['password', 'CreatePassword'],
    ['temporary', 'IssueTemporary'],
    ['code', 'EnrolMfa'],
    ['recoveryCode', 'ConfirmMfa'],
    ['store', 'ConnectStore'],
    ['outside', 'StoreCredentials'],
  ]);
  // What a person brings along: an outside system's address, and the keys that they have there.
  const brought = new Set(['storeAddress', 'storeKey', 'storeSecret']);

  test('start with one that needs neither variables nor anything made before', () => {
    expect(all[0]?.operation.name?.value).toBe('Credentials');
    expect(all[0]?.variables).toBeUndefined();
  });

  test('each have a name of their own', () => {
    expect(new Set(all.map(({ operation }) => operation.name?.value)).size).toBe(all.length);
  });

  test.each(all)('$file says what it does, is named, and fits the graph', ({ query, operation }) => {
    // In a few lines, none of which is cut off where the editor ends.
    expect(query).toMatch(/^# [A-Z].{1,55}\n(?:# .{1,56}\n){0,2}\w/);
    expect(operation.name?.value).toMatch(/^[A-Z][A-Za-z]+$/);
    expect(validate(schema, parse(query)).map(({ message }) => message)).toEqual([]);
  });

  test.each(all)('$file has the variables that it names, and no other', ({ variables = '{}', operation }) => {
    const values = JSON.parse(variables) as Record<string, unknown>;
    const named = (operation.variableDefinitions ?? []).map(({ variable }) => variable.name.value);
    expect(Object.keys(values).sort()).toEqual(named.sort());
    expect(getVariableValues(schema, operation.variableDefinitions ?? [], values).errors).toBeUndefined();
  });

  test.each(all)(
    '$file asks for nothing that no example before it has answered',
    ({ file, variables = '{}' }) => {
      const before = all.filter((other) => other.file < file).map(({ operation }) => operation.name?.value);
      const wanted = Object.entries(JSON.parse(variables) as Record<string, unknown>)
        .filter(([name, value]) => JSON.stringify(value).includes('…') && !brought.has(name))
        .map(([name]) => sources.get(name) ?? `an example for ${name}`);
      expect(before).toEqual(expect.arrayContaining(wanted));
    },
  );

  test('count their dates from today', () => {
    const on = (now: string) =>
      examples(new Date(now)).find(({ file }) => file.includes('expiring'))?.variables;
    expect(JSON.parse(on('2030-01-01T12:34:56.789Z') ?? '')).toEqual({ before: '2030-01-31T12:34:56Z' });
    expect(all.filter(({ variables }) => /in \d+ days/.test(variables ?? ''))).toEqual([]);
  });
});

function onlyOperation(query: string): OperationDefinitionNode {
  const operations = parse(query).definitions.filter(
    (definition) => definition.kind === Kind.OPERATION_DEFINITION,
  );
  const [operation] = operations;
  if (!operation || operations.length > 1) throw new Error('An example holds one operation.');
  return operation;
}

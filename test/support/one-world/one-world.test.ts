import { createRequire } from 'node:module';

const { expectKnown } = createRequire(import.meta.url)('./runtime.cjs') as {
  expectKnown: (runtime: object) => void;
};

const known = () => ({
  _environment: {},
  _testPath: '',
  esmLoader: { testPath: '' },
  executor: { testPath: '' },
  registries: { esModuleRegistry: new Map(), moduleRegistry: new Map(), internalModuleRegistry: new Map() },
  testMainModule: { reset: () => undefined },
  jestGlobals: { clearJestObjectCache: () => undefined, cachedEnvGlobals: undefined },
  loggedReferenceErrors: new Set(),
});

test('a Jest whose private fields are as they were is worked with', () => {
  expect(() => expectKnown(known())).not.toThrow();
});

test.each(Object.keys(known()))('a Jest without %s is refused before a test runs', (field) => {
  const other = Object.fromEntries(Object.entries(known()).filter(([name]) => name !== field));
  expect(() => expectKnown(other)).toThrow('keeps its modules otherwise');
});

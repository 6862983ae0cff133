// The modules that test files run with: those of src and of libraries are kept from one file to the next of a worker;
// the files themselves, what supports them, and Jest's own are made anew. src keeps no state in its modules.
const { join, sep } = require('node:path');
const { pathToFileURL } = require('node:url');
const { default: Runtime } = require('jest-runtime');

let one;

class OneRuntime extends Runtime {
  constructor(...given) {
    const [config, environment, , , , , testPath, globalConfig] = given;
    if (one && one._environment === environment) {
      for (const part of [one.esmLoader, one.executor]) part.testPath = testPath;
      one._testPath = testPath;
      return one;
    }
    super(...given);
    expectKnown(this);
    const folder = join(config.rootDir, 'test') + sep;
    this.ownPaths = [folder, pathToFileURL(folder).href];
    if (!globalConfig.watch && !globalConfig.watchAll) one = this;
  }

  teardown() {
    if (this !== one) return super.teardown();
    this.restoreAllMocks();
    const { esModuleRegistry, moduleRegistry, internalModuleRegistry } = this.registries;
    for (const registry of [esModuleRegistry, moduleRegistry])
      for (const key of [...registry.keys()]) if (this.isOfTest(key)) registry.delete(key);
    internalModuleRegistry.clear();
    this.testMainModule.reset();
    this.jestGlobals.clearJestObjectCache();
    this.jestGlobals.cachedEnvGlobals = undefined;
    this.loggedReferenceErrors.clear();
  }

  isOfTest(key) {
    return key.includes('@jest/globals') || this.ownPaths.some((path) => key.startsWith(path));
  }
}

/**
 * What is reached into above is private to Jest, which is why package.json names its version exactly. @throws where a
 * version does it another way, before a test runs in a world that is half of the file before.
 */
function expectKnown(runtime) {
  const {
    esmLoader,
    executor,
    registries = {},
    testMainModule,
    jestGlobals,
    loggedReferenceErrors,
  } = runtime;
  const { esModuleRegistry, moduleRegistry, internalModuleRegistry } = registries;
  const isKnown =
    '_environment' in runtime &&
    '_testPath' in runtime &&
    [esmLoader, executor].every((part) => part && 'testPath' in part) &&
    [esModuleRegistry, moduleRegistry, internalModuleRegistry].every((registry) => registry instanceof Map) &&
    typeof testMainModule?.reset === 'function' &&
    typeof jestGlobals?.clearJestObjectCache === 'function' &&
    'cachedEnvGlobals' in jestGlobals &&
    loggedReferenceErrors instanceof Set;
  if (!isKnown)
    throw new Error(
      'this version of Jest keeps its modules otherwise: see test/support/one-world/runtime.cjs',
    );
}

module.exports = { __esModule: true, default: OneRuntime, expectKnown };

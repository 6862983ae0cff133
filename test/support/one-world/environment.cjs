// The global objects that test files run with: one set for all files of a worker, so that what src and the libraries
// behind it are is loaded, and made fast, once for all of them. It takes a quarter off the time of the whole suite.
const { TestEnvironment } = require('jest-environment-node');

let one;

module.exports = class OneEnvironment extends TestEnvironment {
  constructor(config, context) {
    if (one) return one;
    super(config, context);
    // While files are watched, each run is to see them as they are now.
    if (!config.globalConfig.watch && !config.globalConfig.watchAll) one = this;
  }

  async teardown() {
    if (this !== one) return super.teardown();
    this.fakeTimersModern?.useRealTimers();
  }
};

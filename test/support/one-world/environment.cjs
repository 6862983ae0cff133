// The global objects that test files run with: one set for all files of a worker, so that what src and the libraries
// behind it are is loaded, and made fast, once for all of them. It takes a quarter off the time of the whole suite.
const process = require('node:process');
const { TestEnvironment } = require('jest-environment-node');

let one;

/** Ends the server that the files of this worker, or of this process, have shared. */
async function endShared(environment) {
  const server = await environment?.global?.keywayOfWorker;
  if (environment?.global) environment.global.keywayOfWorker = undefined;
  await server?.stop();
}

// A worker of Jest has no more work once nobody listens to its messages; then it is given half a second.
process.on('removeListener', (event) => {
  if (event === 'message') void endShared(one);
});

module.exports = class OneEnvironment extends TestEnvironment {
  constructor(config, context) {
    if (one) return one;
    super(config, context);
    // While files are watched, each run is to see them as they are now.
    if (!config.globalConfig.watch && !config.globalConfig.watchAll) one = this;
  }

  async teardown() {
    if (this !== one) {
      await endShared(this);
      return super.teardown();
    }
    this.fakeTimersModern?.useRealTimers();
  }
};

/** For a run without workers: its end is that of the run. */
module.exports.endShared = () => endShared(one);

// The order of the test files: those that take longest begin, so that the workers end together; such
// as work and such as wait in turn, so that both processors are used.
const { default: Sequencer } = require('@jest/test-sequencer');

const longest = [
  'connectors/conformance-refusals',
  'credentials/outside/resume',
  'main',
  'connectors/conformance-faults',
  'credentials/sync/syncs',
  'cli',
  'credentials/outside/lease',
  'connectors/conformance',
  'verification/verify',
  'migrations',
  'database/database',
  'http/http',
  'verification/passwords',
  'access/key-sets',
  'demo/demo',
  'permissions',
  'idempotency/once',
  'statements',
];

module.exports = class LongestFirst extends Sequencer {
  async sort(tests) {
    const place = ({ path }) => {
      const at = longest.findIndex((name) => path.endsWith(`/test/${name}.test.ts`));
      return at === -1 ? longest.length : at;
    };
    return [...(await super.sort(tests))].sort((one, other) => place(one) - place(other));
  }
};

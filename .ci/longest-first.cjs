// The order of the test files: those that take longest begin, so that the workers end together. How long a file takes
// it says itself, where it is long: `@slow 40 s` in the comment that it begins with.
const { readFileSync } = require('node:fs');
const { default: Sequencer } = require('@jest/test-sequencer');

const secondsOf = ({ path }) =>
  Number(/^\/\*\*[^/]*@slow (\d+) s/.exec(readFileSync(path, 'utf8'))?.[1] ?? 0);

module.exports = class LongestFirst extends Sequencer {
  async sort(tests) {
    const seconds = new Map(tests.map((test) => [test, secondsOf(test)]));
    return [...(await super.sort(tests))].sort((one, other) => seconds.get(other) - seconds.get(one));
  }
};

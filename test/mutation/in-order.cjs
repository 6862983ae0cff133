// Runs the test files in the order in which they are named: the nearest first.
const { env } = require('node:process');
const { default: Sequencer } = require('@jest/test-sequencer');

const order = (env.MUTATION_ORDER ?? '').split(',');

module.exports = class InOrder extends Sequencer {
  sort(tests) {
    const place = ({ path }) => order.findIndex((name) => path.endsWith(`/${name}`));
    return [...tests].sort((one, other) => place(one) - place(other));
  }
};

// A reporter that ends the run with the first test that fails, and leaves its name.
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

export default class FirstFailure {
  /** The file that runs: by what a test says of itself it would be the first one, since all share one set of globals. */
  #path = '';

  onTestFileStart({ path }) {
    this.#path = path;
  }

  onTestCaseResult(_, { status, fullName }) {
    if (status === 'failed') end(this.#path, fullName);
  }

  onTestFileResult({ path }, { testExecError }) {
    if (testExecError) end(path, 'does not load');
  }
}

function end(path, name) {
  writeFileSync(process.env.MUTATION_FAILURE, `${relative('.', path)}: ${name}`);
  process.exit(1);
}

/** Why nothing is answered, as an operator is told it: in the log, on the command line, and at `/ready`. */
export const heldBecause =
  'not ready: the audit log is not what its checkpoints say of it. It was cut, changed or put back to an earlier state. ' +
  'Nothing is answered or changed until somebody has looked: run "keyway audit verify", ' +
  'and see "When the audit log is behind its checkpoints" in docs/running.md';

import environment from '../support/one-world/environment.cjs';

// The template is kept for the next run; the server that the files have shared is not.
export default () => environment.endShared();

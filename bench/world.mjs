// What every database of the bed holds, Keyway's and that of its peers: which account, project and roles the n-th
// credential has is computed alike in both, so that they have the same answers to give.
export const accounts = 2_000;
export const roles = 50;

/** How many projects: 500 at a million credentials, so that a project has 2,000 of them at any size. */
export const projectsOf = (credentials) => Math.max(1, Math.min(500, Math.floor(credentials / 2_000)));

// An even, repeatable choice out of 0 … m-1.
const choice = (n, salt, m) =>
  `((hashint8extended((${n})::bigint, ${salt}) & 9223372036854775807) % ${m})::integer`;

/** SQL for the number of the account, the project and the two roles of the n-th credential, and when it was made. */
export const made = {
  account: (n) => `(1 + ${choice(n, 1, accounts)})`,
  project: (n, credentials) => `(1 + ${choice(n, 2, projectsOf(credentials))})`,
  role: (n, which) => {
    const first = choice(n, 3, roles);
    return which === 1 ? `(1 + ${first})` : `(1 + (${first} + 1 + ${choice(n, 4, roles - 1)}) % ${roles})`;
  },
  createdAt: (n) => `(timestamptz '2024-01-01 00:00:00Z' + (${n}) * interval '1 second')`,
};

/** When the n-th credential was made, in ms since 1970. */
export const createdMs = (n) => Date.UTC(2024, 0, 1) + n * 1_000;

export const names = {
  account: (n) => `account-${n}`,
  project: (n) => `project-${n}`,
  role: (n) => `role-${n}`,
  credential: (n) => `credential ${n}`,
};

/** A whole number from 1 to `most`, at random. */
export const anyOf = (most) => 1 + Math.floor(Math.random() * most);

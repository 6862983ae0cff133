// What is asked, the same of everybody: lists of questions in no dialect, each with what its answer must say.
import { accounts, anyOf, names, projectsOf, roles } from './world.mjs';

export const requests = {
  Q1: 'a page of 50 credentials of one project, with account, project and roles of each',
  Q2: 'one credential by its id, the same fields',
  Q3: 'one verified (Keyway), or found by its access key (the others)',
  M1: 'one access key with two roles created',
  M2: 'one rotated',
};

/** So many questions of each request, drawn at random. */
export function drawn(known, credentials, count) {
  const half = known.keys.length / 2;
  return {
    Q1: many(count, () => known.places[anyOf(known.places.length) - 1]),
    Q2: many(count, () => ({ n: anyOf(credentials) })),
    // Rotations change odd ones, so that the keys of the even ones stay what they are.
    Q3: many(count, () => ({ n: 2 * anyOf(Math.floor(credentials / 2)), key: known.keys[anyOf(half) - 1] })),
    M1: many(count, () => newOne(credentials)),
    M2: many(count, (at) => ({
      n: 2 * anyOf(Math.floor(credentials / 2)) - 1,
      key: known.keys[half + (at % half)],
    })),
  };
}

function newOne(credentials) {
  const role = anyOf(roles - 1);
  const [account, project] = [anyOf(accounts), anyOf(projectsOf(credentials))];
  return {
    name: `new ${anyOf(1e9)}`,
    account,
    project,
    roles: [role, role + 1],
    expected: {
      account: names.account(account),
      project: names.project(project),
      roles: [names.role(role), names.role(role + 1)].sort(),
    },
  };
}

const many = (count, one) => Array.from({ length: count }, (_, at) => one(at));

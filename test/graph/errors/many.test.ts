import { makeAccount } from '../../support/make.js';
import { sharedServer, type SharedServer } from '../../support/server.js';

// However often a document has a fault, its answer stays short, and says that there is more.

let server: SharedServer;
beforeAll(async () => {
  server = await sharedServer();
});

test('S3: tells the faults of a thousand rows by the first hundred', async () => {
  const id = await makeAccount(server);
  const lists = Array.from(
    { length: 10 },
    (_, index) =>
      `r${index}: nodes(ids: $ids) { ... on Account { credentials(after: "x", first: 1) { totalCount } } }`,
  );
  const query = `query ($ids: [ID!]!) { ${lists.join(' ')} }`;
  const { data, errors } = await server.ask(query, { ids: Array<string>(100).fill(id) });
  expect(errors).toHaveLength(101);
  expect(errors[0]).toMatchObject({
    message: 'after: must be a cursor of this list, in this order.',
    path: ['r0', 0, 'credentials'],
  });
  expect(errors.at(-1)).toEqual({
    message: 'There are more errors than are listed here.',
    extensions: { code: 'BAD_USER_INPUT', id: expect.any(String) as unknown },
  });
  expect(data).toMatchObject({ r9: Array<null>(100).fill(null) });
});

test('tells the error of each row of a page', async () => {
  const id = await makeAccount(server);
  const query = `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Account { credentials(after: "x") { totalCount } } } }`;
  const { errors } = await server.ask(query, { ids: Array<string>(100).fill(id) });
  expect(errors.map(({ path }) => path?.[1])).toEqual(Array.from({ length: 100 }, (_, index) => index));
});

test('S3: tells of a fault at hundreds of places the first ten', async () => {
  const ring = Array.from({ length: 90 }, (_, index) => `fragment f${index} on Account { ...f${index + 1} }`);
  const documents = [
    `{ viewer { credentials(${'a: 1 '.repeat(600)}) { totalCount } } }`,
    `{ viewer { ...f0 } } ${ring.join(' ')} fragment f90 on Account { ${'...f0 '.repeat(12)} }`,
  ];
  for (const document of documents) {
    const { errors, status } = await server.ask(document);
    expect(status).toBe(400);
    expect(errors.map(({ locations = [] }) => locations.length).every((places) => places <= 10)).toBe(true);
    expect(JSON.stringify(errors).length).toBeLessThan(8_000);
  }
});

test('S3: names a hundred of the pages without a row', async () => {
  const pages = 'credentials(first: 0) { totalCount } subAccounts(first: 0) { totalCount } '.repeat(60);
  const { errors, status } = await server.ask(`{ viewer { ${pages} } }`);
  expect(status).toBe(400);
  expect(errors).toHaveLength(1);
  expect(errors[0]?.extensions.fields).toHaveLength(100);
});

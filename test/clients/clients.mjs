// Public clients, as their pages say to set them up, each in a process of its own: node clients.mjs <client> <url>, with
// the token in KEYWAY_TOKEN. Prints, as JSON, what the client made of three operations: a query with variables, a
// mutation, and a query with an error.
import { inspect } from 'node:util';

const [client, url] = process.argv.slice(2);
const token = process.env.KEYWAY_TOKEN;
const headers = { authorization: `Bearer ${token}` };
const query = 'query Mine($first: Int!) { viewer { id name } credentials(first: $first) { totalCount } }';
const mutation =
  'mutation Make($input: CreateAccountInput!) { createAccount(input: $input) { account { id name } } }';
const wrong = 'query Wrong { credentials(first: 0) { totalCount } }';
const input = { kind: 'PERSON', name: `client-${client}-${process.pid}`, title: 'Made by a client' };

/** Which methods and media types went over the wire. */
const seen = [];
const watched = globalThis.fetch;
globalThis.fetch = async (target, init = {}) => {
  const answer = await watched(target, init);
  seen.push({
    method: init.method ?? 'GET',
    status: answer.status,
    type: answer.headers.get('content-type'),
  });
  return answer;
};

const messageOf = async (work) => {
  try {
    const answer = await work();
    return `no error: ${inspect(answer)}`;
  } catch (error) {
    return inspect(error, { depth: 6 });
  }
};

const clients = {
  async apollo() {
    const { ApolloClient, HttpLink, InMemoryCache, gql } = await import('@apollo/client');
    const apollo = new ApolloClient({
      link: new HttpLink({ uri: url, headers }),
      cache: new InMemoryCache(),
    });
    const { data } = await apollo.query({ query: gql(query), variables: { first: 3 } });
    const made = await apollo.mutate({ mutation: gql(mutation), variables: { input } });
    return { data, made: made.data, wrong: await messageOf(() => apollo.query({ query: gql(wrong) })) };
  },

  async apolloByGet() {
    const { ApolloClient, HttpLink, InMemoryCache, gql } = await import('@apollo/client');
    const link = new HttpLink({ uri: url, headers, useGETForQueries: true });
    const apollo = new ApolloClient({ link, cache: new InMemoryCache() });
    const { data } = await apollo.query({ query: gql(query), variables: { first: 3 } });
    const made = await apollo.mutate({ mutation: gql(mutation), variables: { input } });
    return { data, made: made.data, wrong: await messageOf(() => apollo.query({ query: gql(wrong) })) };
  },

  async urql() {
    const { Client, cacheExchange, fetchExchange } = await import('@urql/core');
    const urql = new Client({ url, exchanges: [cacheExchange, fetchExchange], fetchOptions: { headers } });
    const { data, error } = await urql.query(query, { first: 3 }).toPromise();
    if (error) throw error;
    const made = await urql.mutation(mutation, { input }).toPromise();
    return { data, made: made.data, wrong: String((await urql.query(wrong, {}).toPromise()).error) };
  },

  async relay() {
    const { default: relay } = await import('relay-runtime');
    const { Environment, Network, RecordSource, Store, Observable } = relay;
    const fetchQuery = async ({ text }, variables) => {
      const answer = await fetch(url, {
        method: 'POST',
        headers: {
          ...headers,
          'Content-Type': 'application/json',
          Accept: 'application/graphql-response+json; charset=utf-8, application/json; charset=utf-8',
        },
        body: JSON.stringify({ query: text, variables }),
      });
      return answer.json();
    };
    const environment = new Environment({
      network: Network.create(fetchQuery),
      store: new Store(new RecordSource()),
    });
    const ask = (text, variables, operationKind = 'query') =>
      Observable.from(
        environment
          .getNetwork()
          .execute(
            { text, name: 'Asked', operationKind, id: null, cacheID: text, metadata: {} },
            variables,
            {},
          ),
      ).toPromise();
    return {
      data: (await ask(query, { first: 3 })).data,
      made: (await ask(mutation, { input }, 'mutation')).data,
      wrong: inspect((await ask(wrong, {})).errors, { depth: 6 }),
    };
  },

  async graphqlRequest() {
    const { GraphQLClient } = await import('graphql-request');
    const byGet = new GraphQLClient(url, { headers, method: 'GET' });
    const byPost = new GraphQLClient(url, { headers });
    return {
      data: await byGet.request(query, { first: 3 }),
      made: await byPost.request(mutation, { input }),
      wrong: await messageOf(() => byGet.request(wrong)),
    };
  },

  async codegen() {
    const { codegen } = await import('@graphql-codegen/core');
    const typescript = await import('@graphql-codegen/typescript');
    const operations = await import('@graphql-codegen/typescript-operations');
    const { buildClientSchema, getIntrospectionQuery, parse, printSchema } = await import('graphql');
    const answer = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify({
        query: getIntrospectionQuery({
          specifiedByUrl: true,
          directiveIsRepeatable: true,
          schemaDescription: true,
          inputValueDeprecation: true,
          oneOf: true,
        }),
      }),
    });
    const schema = parse(printSchema(buildClientSchema((await answer.json()).data)));
    return {
      code: await codegen({
        schema,
        config: {},
        filename: 'graph.ts',
        documents: [query, mutation].map((text, index) => ({
          location: `${index}.graphql`,
          document: parse(text),
        })),
        plugins: [{ typescript: {} }, { operations: {} }],
        pluginMap: {
          typescript: typescript.default ?? typescript,
          operations: operations.default ?? operations,
        },
      }),
    };
  },
};

process.stdout.write(JSON.stringify({ ...(await clients[client]()), seen }));

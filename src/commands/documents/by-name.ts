export const accountIdByName = 'query AccountByName($name: String!) { account(name: $name) { id } }';
export const projectIdByName = 'query ProjectByName($name: String!) { project(name: $name) { id } }';
export const roleIdByName = 'query RoleByName($name: String!) { role(name: $name) { id } }';
export const storeIdByName = 'query StoreByName($name: String!) { store(name: $name) { id } }';

/** Those whose name, access key or other text has this in it. */
export const credentialsByText = `query CredentialsByText($search: String!, $after: String) {
  credentials(filter: { search: $search }, first: 100, after: $after) {
    nodes { id name accessKey parent { id } }
    pageInfo { hasNextPage endCursor }
  }
}`;

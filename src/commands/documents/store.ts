const row = `
  id name kind endpoint region account { id name }
  health { reachable problem checkedAt circuit }
  lastSync { startedAt finishedAt added changed gone rolesLeft error }
`;

export const storeList = `query StoreList { stores { ${row} } }`;

export const storeShow = `query StoreShow($id: ID!) {
  node(id: $id) { ... on CredentialStore {
    ${row} capabilities
    rotation { chosenBy previous }
    budget { limit used window resetsAt }
    settings { name values }
    scopeGrants { account { name } scope createdAt }
  } }
}`;

export const storeScopes = `query StoreScopes($id: ID!) {
  node(id: $id) { ... on CredentialStore { scopes { id name } } }
}`;

/** How far a sync has come. */
export const storeSyncState = `query StoreSyncState($id: ID!) { node(id: $id) { ... on CredentialStore { ${row} } } }`;

export const storeCreate = `mutation StoreCreate($input: CreateStoreInput!) {
  createStore(input: $input) { store { ${row} } }
}`;

export const storeUpdate = `mutation StoreUpdate($input: UpdateStoreInput!) {
  updateStore(input: $input) { store { ${row} } }
}`;

export const storeCheck = `mutation StoreCheck($input: CheckStoreInput!) {
  checkStore(input: $input) { store { ${row} } }
}`;

export const storeSync = `mutation StoreSync($input: SyncStoreInput!) {
  syncStore(input: $input) { store { ${row} } }
}`;

export const storeDelete = `mutation StoreDelete($input: DeleteStoreInput!) {
  deleteStore(input: $input) { deletedId abandonedCount abandoned { id name } }
}`;

export const storeGrantScope = `mutation StoreGrantScope($input: GrantScopeInput!) {
  grantScope(input: $input) { grant { store { id name } account { id name } scope createdAt } }
}`;

export const storeWithdrawScope = `mutation StoreWithdrawScope($input: WithdrawScopeInput!) {
  withdrawScope(input: $input) { store { id name } }
}`;

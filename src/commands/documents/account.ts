const row = `id name title kind enabled email mfaRequired mfaEnrolled createdAt parent { id name }`;

export const accountList = `query AccountList($first: Int, $after: String, $filter: AccountFilter) {
  accounts(first: $first, after: $after, filter: $filter) { nodes { ${row} } pageInfo { hasNextPage endCursor } }
}`;

export const accountShow = `query AccountShow($id: ID!) {
  node(id: $id) { ... on Account {
    ${row} updatedAt
    identities { issuer subject pattern }
    grants { id role { name } onAccount { name } onProject { name } }
    grantsOn { id role { name } account { name } }
  } }
}`;

export const accountCreate = `mutation AccountCreate($input: CreateAccountInput!) {
  createAccount(input: $input) { account { ${row} } }
}`;

export const accountUpdate = `mutation AccountUpdate($input: UpdateAccountInput!) {
  updateAccount(input: $input) { account { ${row} } }
}`;

export const accountDelete = `mutation AccountDelete($input: DeleteAccountInput!) {
  deleteAccount(input: $input) { deletedId untouchedCount untouched { reason credential { id name } } }
}`;

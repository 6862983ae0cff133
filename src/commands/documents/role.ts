const row = `id name description builtIn permissions createdAt account { id name } store { id name }`;

export const roleList = `query RoleList($first: Int, $after: String, $filter: RoleFilter) {
  roles(first: $first, after: $after, filter: $filter) { nodes { ${row} } pageInfo { hasNextPage endCursor } }
}`;

export const roleShow = `query RoleShow($id: ID!) {
  node(id: $id) { ... on Role {
    ${row} updatedAt grants { id account { name } onAccount { name } onProject { name } }
  } }
}`;

export const roleCreate = `mutation RoleCreate($input: CreateRoleInput!) {
  createRole(input: $input) { role { ${row} } }
}`;

export const roleUpdate = `mutation RoleUpdate($input: UpdateRoleInput!) {
  updateRole(input: $input) { role { ${row} } }
}`;

export const roleDelete = `mutation RoleDelete($input: DeleteRoleInput!) {
  deleteRole(input: $input) { deletedId }
}`;

export const roleGrant = `mutation RoleGrant($input: GrantRoleInput!) {
  grantRole(input: $input) {
    grant { id role { id name } account { id name } onAccount { id name } onProject { id name } createdAt }
  }
}`;

export const roleWithdraw = `mutation RoleWithdraw($input: WithdrawRoleInput!) {
  withdrawRole(input: $input) { deletedId }
}`;

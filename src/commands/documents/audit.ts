const row = `
  id number at action outcome code times changed ip requestId targetId recipientId
  actor { id name } actorCredential { id name }
`;

export const auditList = `query AuditList($first: Int, $after: String, $filter: AuditFilter) {
  auditEvents(first: $first, after: $after, filter: $filter) { nodes { ${row} } pageInfo { hasNextPage endCursor } }
}`;

export const auditShow = `query AuditShow($id: ID!) {
  node(id: $id) { ... on AuditEvent { ${row} hash recipient { id name } } }
}`;

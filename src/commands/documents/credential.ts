const row = `
  id name kind status enabled accessKey expiresAt lastUsedAt createdAt revision
  account { id name } project { id name } store { id name } owner { id name }
`;

/** A page of credentials. */
export const credentialList = `query CredentialList(
  $first: Int, $after: String, $filter: CredentialFilter, $orderBy: CredentialOrder
) {
  credentials(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
    nodes { ${row} }
    pageInfo { hasNextPage endCursor }
  }
}`;

/** All that is known of one credential, without its secret. */
export const credentialShow = `query CredentialShow($id: ID!) {
  credential(id: $id) {
    ${row}
    description category email fullName provider scope externalId baseUrl allowedIps permissions
    retrievable signatureScheme secretFormat secretPrefix mfaAuthenticated partial problem
    revokedAt revokeReason deletedAt goneAt observedAt updatedAt
    roles { id name }
    parent { id name }
    rateLimit { uses window }
    remainingUses { count refill { amount every nextAt } }
    rotationPolicy { every gracePeriod nextAt overdueSince }
    rotation { id state startedAt finishedAt failure safeToRetire }
    versions { number state createdAt lastUsedAt validUntil }
    storeChanges { kind attempts nextAt failure }
  }
}`;

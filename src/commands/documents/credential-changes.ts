const row = `id name kind status accessKey expiresAt revision account { id name } store { id name }`;
const issued = `
  issued { accessKey secret endpoint expiresAt keys { name value }
    exports(format: $format, names: $names, prefix: $prefix) @include(if: $withExports) }
`;
/** How environment variables are written, where they are wanted. */
const exportVariables =
  '$withExports: Boolean = false, $format: ExportFormat, $names: ExportNames, $prefix: String';

export const credentialCreate = `mutation CredentialCreate($input: CreateCredentialInput!, ${exportVariables}) {
  createCredential(input: $input) { credential { ${row} } ${issued} }
}`;

export const credentialUpdate = `mutation CredentialUpdate($input: UpdateCredentialInput!) {
  updateCredential(input: $input) { credential { ${row} } secretResent }
}`;

export const credentialRotate = `mutation CredentialRotate($input: RotateCredentialInput!, ${exportVariables}) {
  rotateCredential(input: $input) {
    credential { ${row} rotation { state to { number } from { number validUntil } } } ${issued}
  }
}`;

export const credentialReveal = `mutation CredentialReveal($input: RevealCredentialInput!, ${exportVariables}) {
  revealCredential(input: $input) { credential { ${row} } ${issued} }
}`;

export const credentialIssue = `mutation CredentialIssue($input: IssueTemporaryCredentialInput!, ${exportVariables}) {
  issueTemporaryCredential(input: $input) { credential { ${row} } ${issued} }
}`;

export const credentialRevoke = `mutation CredentialRevoke($input: RevokeCredentialInput!) {
  revokeCredential(input: $input) { credential { ${row} revokedAt revokeReason } reasonRecorded }
}`;

export const credentialDelete = `mutation CredentialDelete($input: DeleteCredentialInput!) {
  deleteCredential(input: $input) { credential { id name status deletedAt } }
}`;

export const credentialVerify = `mutation CredentialVerify($input: VerifyCredentialInput!) {
  verifyCredential(input: $input) { valid code retryAfter credential { id name status account { id name } roles { name } } }
}`;

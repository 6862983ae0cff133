/** The prefix of each type's public ids. */
export const prefixes = {
  Credential: 'cred',
  Account: 'acct',
  Project: 'proj',
  Role: 'role',
  Grant: 'gran',
  CredentialStore: 'stor',
  Rotation: 'rota',
  AuditEvent: 'audt',
} as const;

/** What has a public id, and can be found by it. */
export type NodeType = keyof typeof prefixes;

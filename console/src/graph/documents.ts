// Written by codegen.mjs.
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> =
  T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
import { gql } from '@urql/core';
/** An access key and a secret key, which Keyway or the outside store generates. */
export type AccessKeyInput = {
  /** Text that both the access key and the secret key start with. 1 to 31 letters, digits, underscores and hyphens, starting with a letter. Not for outside stores. */
  prefix?: string | null | undefined;
  /** The only scheme that it may sign requests with; any, if left out. With VERACODE_HMAC_SHA_256 the format is always HEX, and the prefix must be one that clients of that scheme accept, such as an even number of hexadecimal digits. Not for outside stores. */
  scheme?: SignatureScheme | null | undefined;
  /** The characters that the keys consist of. */
  secretFormat?: SecretFormat | null | undefined;
};

/** Which accounts: those that match every field that is given. A list matches if one of its items does. */
export type AccountFilter = {
  /** What the account stands for. */
  kind?: Array<AccountKind> | null | undefined;
  /** Ids of accounts that it is directly part of. */
  parent?: Array<string> | null | undefined;
  /** Text that its name, title or e-mail address contains. Upper and lower case are equal, and so is the same text in other characters (Unicode NFKC). One or two characters match only at the beginning of a word: of the text, or after a space, `-`, `_`, `.` or `/`. */
  search?: string | null | undefined;
};

/** What an account stands for. */
export type AccountKind =
  /** A company, team or other group. */
  | 'ORGANIZATION'
  /** A human being. */
  | 'PERSON'
  /** A program. */
  | 'SERVICE';

/** How Keyway reaches Apinizer. */
export type ApinizerConnectionInput = {
  /** The name of the project that also lists the users of all other projects. Keyway records each user in its own project, once. */
  adminProject?: string | null | undefined;
  /** Certificates in PEM: only what they have signed, or are themselves, is trusted at the addresses of this store. The well-known authorities, if left out. */
  certificateAuthority?: string | null | undefined;
  /** The address of the API manager. */
  endpoint: string;
  /** The address of the gateway, where the users present their passwords: the `endpoint` of what is issued. Keyway never calls it. */
  gatewayEndpoint?: string | null | undefined;
  /** The names of the projects to list users of; all that the token may see, if left out. */
  projects?: Array<string> | null | undefined;
  /** A personal access token. */
  token: string;
};

/** Which audit events: those that match every field that is given. A list matches if one of its items does. */
export type AuditFilter = {
  /** Accounts whose audit chain has the event. */
  account?: Array<string> | null | undefined;
  /** Actions, such as `credential:rotate`. */
  action?: Array<string> | null | undefined;
  /** Accounts that did or tried it. */
  actor?: Array<string> | null | undefined;
  /** How it ended. */
  outcome?: Array<AuditOutcome> | null | undefined;
  /** Events at this time or later. */
  since?: string | null | undefined;
  /** Ids of objects that it was done to. */
  target?: Array<string> | null | undefined;
  /** Events before this time. */
  until?: string | null | undefined;
};

/** How an action ended. */
export type AuditOutcome =
  /** It was done. */
  | 'DONE'
  /** It was allowed, but failed. */
  | 'FAILED'
  /** It was not allowed or not accepted: the cause is with the caller. */
  | 'REFUSED';

/** Keys of AWS: an access key with its secret key, or a role to assume. */
export type AwsKeysInput = {
  /** The access key id. Comes with `secretKey`. */
  accessKey?: string | null | undefined;
  /** The ARN of the role to assume. Needed if `mode` is ROLE. */
  assumeRoleArn?: string | null | undefined;
  /** The external id that the trust policy of the role asks for. */
  externalId?: string | null | undefined;
  /** How to authenticate to AWS; KEYS, if left out. */
  mode?: AwsKeysMode | null | undefined;
  /** The secret access key. */
  secretKey?: string | null | undefined;
};

/** How to authenticate to AWS. */
export type AwsKeysMode =
  /** With an access key and a secret key; with them a role is assumed, if one is named. */
  | 'KEYS'
  /** By assuming a role, without keys of your own. */
  | 'ROLE';

/** A service principal of Microsoft Entra, with an Azure subscription. */
export type AzureCloudKeysInput = {
  /** The key of the Batch account. Only with `batchName`. */
  batchKey?: string | null | undefined;
  /** The name of the Batch account. */
  batchName?: string | null | undefined;
  /** The client (application) id of the service principal. */
  clientId: string;
  /** The client secret of the service principal. */
  clientSecret: string;
  /** The key of the Storage account. Only with `storageName`. */
  storageKey?: string | null | undefined;
  /** The name of the Storage account. */
  storageName?: string | null | undefined;
  /** The id of the Azure subscription. */
  subscriptionId: string;
  /** The tenant (directory) id. */
  tenantId: string;
};

/** A service principal of Microsoft Entra, and the Batch and Storage accounts that it uses. */
export type AzureEntraKeysInput = {
  /** The key of the Batch account. Only with `batchName`. */
  batchKey?: string | null | undefined;
  /** The name of the Batch account. */
  batchName?: string | null | undefined;
  /** The client (application) id of the service principal. */
  clientId: string;
  /** The client secret of the service principal. */
  clientSecret: string;
  /** The key of the Storage account. Only with `storageName`. */
  storageKey?: string | null | undefined;
  /** The name of the Storage account. */
  storageName?: string | null | undefined;
  /** The tenant (directory) id. */
  tenantId: string;
};

/** Keys of Azure Batch and Azure Storage: a name and a key for at least one of the two. */
export type AzureKeysInput = {
  /** The key of the Batch account. */
  batchKey?: string | null | undefined;
  /** The name of the Batch account. Comes with `batchKey`. */
  batchName?: string | null | undefined;
  /** The key of the Storage account. */
  storageKey?: string | null | undefined;
  /** The name of the Storage account. Comes with `storageKey`. */
  storageName?: string | null | undefined;
};

/** What `checkStore` takes. */
export type CheckStoreInput = {
  /** The store to call. */
  id: string;
  /** Makes it safe to send this request again: for 24 hours, a request with the same key and the same input gets the answer of the first one and changes nothing. 1 to 200 printable ASCII characters. */
  idempotencyKey?: string | null | undefined;
};

/** Keys of a container registry. */
export type ContainerRegKeysInput = {
  /** The password or access token. */
  password: string;
  /** The host name of the registry, such as `images.example.com`; Docker Hub, if left out. */
  registry?: string | null | undefined;
  /** The user name at the registry. */
  userName: string;
};

/** What `createCredential` takes. */
export type CreateCredentialInput = {
  /** The account that it belongs to. */
  account: string;
  /** The addresses that it may be used from; empty means any address. */
  allowedIps?: Array<string> | null | undefined;
  /** The address of the server that the keys are for, such as `https://git.example.com`. Only for stores that choose between credentials by it, and for Git hosts there. */
  baseUrl?: string | null | undefined;
  /** A word of your choice to group credentials. */
  category?: string | null | undefined;
  /** What the credential is for. */
  description?: string | null | undefined;
  /** The e-mail address of the person who uses it. */
  email?: string | null | undefined;
  /** Whether it is switched on. */
  enabled?: boolean | null | undefined;
  /** When it stops working. If left out, a token expires after 90 days, or with the token of the caller if that is earlier; other kinds never expire, unless their store decides otherwise. What acts as the caller itself must expire no later than the token or key that the caller uses. */
  expiresAt?: string | null | undefined;
  /** The full name of the person who uses it. */
  fullName?: string | null | undefined;
  /** Makes it safe to send this request again: for 24 hours, a request with the same key and the same input gets the answer of the first one and changes nothing. 1 to 200 printable ASCII characters. */
  idempotencyKey?: string | null | undefined;
  /** A code of the second factor (TOTP), or a recovery code. Needed if the account of the caller requires a second factor. */
  mfaCode?: string | null | undefined;
  /** A name for people. It need not be unique. */
  name: string;
  /** The account of the person or service that is responsible for it, and may read, rotate and revoke it. */
  owner?: string | null | undefined;
  /** The project that it is in; none, if left out. */
  project?: string | null | undefined;
  /** How often it may be verified within a length of time; any number of times, if left out. Not for outside stores and provider keys, which Keyway does not verify. */
  rateLimit?: RateLimitInput | null | undefined;
  /** How often it can be verified in all; any number of times, if left out. Not for outside stores and provider keys, which Keyway does not verify. */
  remainingUses?: RemainingUsesInput | null | undefined;
  /** Whether its secret can be revealed later; this cannot be changed afterwards. False, if left out. Provider keys and secrets in outside stores are always retrievable; for an outside store, `false` is an error. */
  retrievable?: boolean | null | undefined;
  /** Ids of its roles, which a service that verifies it is told. */
  roles?: Array<string> | null | undefined;
  /** How often Keyway rotates it by itself; never, if left out. */
  rotationPolicy?: RotationPolicyInput | null | undefined;
  /** The part of the outside store to create it in: an account, workspace, user, project or sub account. May be left out if there is only one. Needs STORE_MANAGE in the account of the store, or a grant of the scope (`grantScope`). Not for the built-in store. */
  scope?: string | null | undefined;
  /** What kind of secret it gets. */
  secret: NewSecretInput;
  /** The store to create it in; the built-in store, if left out. */
  store?: string | null | undefined;
};

/** What `createStore` takes. */
export type CreateStoreInput = {
  /** The account that the store and its credentials belong to; the account of the caller, if left out. */
  account?: string | null | undefined;
  /** How Keyway reaches the system. */
  connection: StoreConnectionInput;
  /** Makes it safe to send this request again: for 24 hours, a request with the same key and the same input gets the answer of the first one and changes nothing. 1 to 200 printable ASCII characters. */
  idempotencyKey?: string | null | undefined;
  /** Unique among all stores. 1 to 64 letters, digits, dots, underscores and hyphens, starting with a letter or digit, such as `keys-prod`. */
  name: string;
};

/** Which credentials: those that match every field that is given. A list matches if one of its items does. */
export type CredentialFilter = {
  /** Ids of accounts that they belong to. */
  account?: Array<string> | null | undefined;
  /** Those that were created after this time. */
  createdAfter?: string | null | undefined;
  /** Those that were created before this time. */
  createdBefore?: string | null | undefined;
  /** Ids of accounts that created or issued them. What is not known to be created by any matches none. */
  createdBy?: Array<string> | null | undefined;
  /** Those that expire after this time. What never expires does not match. */
  expiresAfter?: string | null | undefined;
  /** Those that expire before this time, or have expired. */
  expiresBefore?: string | null | undefined;
  /** Their own ids. */
  ids?: Array<string> | null | undefined;
  /** Whether deleted credentials are listed too. */
  includeDeleted?: boolean | null | undefined;
  /** What their secrets consist of. */
  kind?: Array<CredentialKind> | null | undefined;
  /** Ids of accounts that own them. */
  owner?: Array<string> | null | undefined;
  /** Ids of projects that they are in. The admin project matches every credential. */
  project?: Array<string> | null | undefined;
  /** The systems that their keys belong to. */
  provider?: Array<Provider> | null | undefined;
  /** Ids of roles that they have. */
  role?: Array<string> | null | undefined;
  /** Those with a rotation policy whose next rotation is due before this time. */
  rotationDueBefore?: string | null | undefined;
  /** True: only those with a rotation policy whose next rotation is late. False: only the others. */
  rotationOverdue?: boolean | null | undefined;
  /** Text that their name, description, access key, full name or e-mail address contains. Upper and lower case are equal, and so is the same text in other characters (Unicode NFKC). One or two characters match only at the beginning of a word: of the text, or after a space, `-`, `_`, `.` or `/`. */
  search?: string | null | undefined;
  /** Their status at the time of the answer. DELETED matches only if it is listed here. */
  status?: Array<CredentialStatus> | null | undefined;
  /** Ids of stores that they are in. */
  store?: Array<string> | null | undefined;
  /** Those without a known use for at least this long, as an ISO 8601 duration. For a credential that was never used, the time counts from its creation. */
  unusedFor?: string | null | undefined;
  /** True: only those without an owner. False: only those with one. */
  withoutOwner?: boolean | null | undefined;
};

/** What the secret of a credential consists of. */
export type CredentialKind =
  /** An access key (public) and a secret key. Used to sign requests, or sent as a pair. */
  | 'ACCESS_KEY'
  /** A user name and a password. */
  | 'PASSWORD'
  /** Keys of an outside provider, such as AWS. Keyway stores them encrypted and can show them again. */
  | 'PROVIDER_KEYS'
  /** One secret value that is sent as a bearer token. */
  | 'TOKEN';

/** How a list of credentials is ordered. */
export type CredentialOrder = {
  /** What the list is ordered by. */
  by?: CredentialOrderBy;
  /** The direction of the order. */
  direction?: OrderDirection;
};

/** What a list of credentials is ordered by. */
export type CredentialOrderBy =
  /** When they were created. */
  | 'CREATED_AT'
  /** When they expire. Those that never expire count as the latest. */
  | 'EXPIRES_AT'
  /** When they were last used. Those that were never used count as the earliest. */
  | 'LAST_USED_AT'
  /** Their names: punctuation before digits before letters, whatever their case and accents; those tell apart only what is equal otherwise. */
  | 'NAME';

/** Whether a credential works at present. Only ACTIVE and ROTATING credentials work. If several values apply, it is the first of ABANDONED, DELETED, REVOKED, REVOKING, GONE, EXPIRED, DISABLED, PENDING, UNKNOWN, INVALID. If none of these applies to a temporary credential, its parent is looked at in the same way. */
export type CredentialStatus =
  /** Its store was disconnected by `deleteStore` with `abandonCredentials`, before the store had ended it: its secret may still work in that system, and Keyway can do nothing about it any more. It is in lists like a deleted one. */
  | 'ABANDONED'
  /** It works. */
  | 'ACTIVE'
  /** It was deleted, or its store was disconnected, where nothing was changed by that. It counts as not working, and only its history is kept. */
  | 'DELETED'
  /** The credential, its account or its owner is disabled. For a temporary credential: or its parent is. */
  | 'DISABLED'
  /** Its `expiresAt` has passed. For a temporary credential: or that of its parent. */
  | 'EXPIRED'
  /** Its store does not list it any more. */
  | 'GONE'
  /** According to its store, the secret is not accepted by the system that it belongs to; `problem` is the reason that the store gives. Rotate it. */
  | 'INVALID'
  /** It is being created in an outside store and does not work yet. */
  | 'PENDING'
  /** It was revoked: it never works again. For a temporary credential also: its parent was revoked, deleted or moved to another project, or no longer has the secret that this one was derived from. */
  | 'REVOKED'
  /** It is to be revoked or deleted, and its outside store has not confirmed it yet: `storeChanges` says why. It counts as not working, but its secret may still work in that store. For a temporary credential: or its parent is. */
  | 'REVOKING'
  /** It works. A rotation is under way, or the previous secret still works. */
  | 'ROTATING'
  /** The answer of its store to a change was lost, so it is not known whether its secret works. Rotate it again; if it was being created, sync the store. Also after an older state of the database was restored: its secret was replaced since then, and Keyway does not have the new one. Rotate it. */
  | 'UNKNOWN';

/** The state of one secret of a credential. */
export type CredentialVersionState =
  /** It is the one in use. */
  | 'CURRENT'
  /** It never came into use. */
  | 'FAILED'
  /** A creation or rotation is bringing it into use. */
  | 'PENDING'
  /** It was replaced, but works until `validUntil`. */
  | 'PREVIOUS'
  /** It no longer works. */
  | 'RETIRED'
  /** It is not known whether its store took it: the answer was lost, or another change replaced the one that brought it. */
  | 'UNKNOWN';

/** Keys of a Git host: `username` with `password` or `token`; or `accessKey` with `secretKey`, for AWS CodeCommit and in an older form. */
export type GitKeysInput = {
  /** The user name, in the older form. Comes with `secretKey`. */
  accessKey?: string | null | undefined;
  /** The password, or an app password. */
  password?: string | null | undefined;
  /** The password or token, in the older form. */
  secretKey?: string | null | undefined;
  /** A personal access token. */
  token?: string | null | undefined;
  /** The user name at the service. */
  username?: string | null | undefined;
};

/** The id and the secrets of a GitHub App, for `githubApp`. */
export type GithubAppKeysInput = {
  /** The id that GitHub gave the app. */
  appId: string;
  /** The client id of the app. */
  clientId?: string | null | undefined;
  /** The client secret of the app. Comes with `clientId`. */
  clientSecret?: string | null | undefined;
  /** The private key of the app, in PEM. */
  privateKey: string;
  /** The name of the app in its URL. */
  slug?: string | null | undefined;
  /** The secret that webhooks of the app are signed with. */
  webhookSecret?: string | null | undefined;
};

/** Keys of Google Cloud: a service account key (`data`), or a workload identity: `serviceAccountEmail` with `workloadIdentityProvider`. */
export type GoogleKeysInput = {
  /** The service account key: the whole JSON file, as text. */
  data?: string | null | undefined;
  /** Workload identity: the e-mail address of the service account. */
  serviceAccountEmail?: string | null | undefined;
  /** Workload identity: the audience of the token; that of the provider, if left out. */
  tokenAudience?: string | null | undefined;
  /** Workload identity: the full name of the provider. */
  workloadIdentityProvider?: string | null | undefined;
};

/** The roles, addresses and lifetime of the temporary credential are never more than those of its parent. */
export type IssueTemporaryCredentialInput = {
  /** The addresses that it may be used from, out of those of the parent; all of them, if left out. */
  allowedIps?: Array<string> | null | undefined;
  /** How long it works, as an ISO 8601 duration: PT10M to PT36H, or less in an outside store. It stops earlier if its parent does. */
  duration?: string | null | undefined;
  /** Makes it safe to send this request again: for 24 hours, a request with the same key and the same input gets the answer of the first one and changes nothing. 1 to 200 printable ASCII characters. */
  idempotencyKey?: string | null | undefined;
  /** A code of the second factor (TOTP), or a recovery code. Needed if the account of the caller requires a second factor. */
  mfaCode?: string | null | undefined;
  /** The permanent credential to derive it from. */
  parent: string;
  /** Whether its secret can be revealed while it works; as for the parent, if left out. In an outside store it always can, and `false` is an error. */
  retrievable?: boolean | null | undefined;
  /** Ids of its roles, out of those of the parent; all of them, if left out. */
  roles?: Array<string> | null | undefined;
  /** A code of a second factor of the outside store, if the store asks for one. */
  storeMfa?: StoreMfaInput | null | undefined;
};

/** Keys of Kubernetes: `token`, or `certificate` with `privateKey`. */
export type K8sKeysInput = {
  /** The client certificate, in PEM. Comes with `privateKey`. */
  certificate?: string | null | undefined;
  /** The private key of the client certificate, in PEM. */
  privateKey?: string | null | undefined;
  /** The token of a service account. */
  token?: string | null | undefined;
};

/** How Keyway reaches Landscape. Give `accessKey` with `secretKey` (recommended), or `email` or `identity` with `password`, or only a `jwt`, which expires. If a password is given together with the pair of keys, Keyway can rotate the pair, because it can still log in by the password. */
export type LandscapeConnectionInput = {
  /** The access key. Comes with `secretKey`. */
  accessKey?: string | null | undefined;
  /** The account to use where a credential names none in its `scope`. */
  account?: string | null | undefined;
  /** Certificates in PEM: only what they have signed, or are themselves, is trusted at the addresses of this store. The well-known authorities, if left out. */
  certificateAuthority?: string | null | undefined;
  /** The e-mail address to log in with. Comes with `password`. */
  email?: string | null | undefined;
  /** The address of the Landscape API. */
  endpoint: string;
  /** The user name to log in with, for a person in a directory (PAM). Comes with `password`, and replaces `email`. */
  identity?: string | null | undefined;
  /** A token (JWT) of Landscape. It expires, so that the connection stops working then. */
  jwt?: string | null | undefined;
  /** The password. Comes with `email` or `identity`. */
  password?: string | null | undefined;
  /** The secret key. Comes with `accessKey`. */
  secretKey?: string | null | undefined;
};

/** How Keyway reaches NAVER Cloud. */
export type NcloudConnectionInput = {
  /** The access key of a sub account that may manage sub accounts. */
  accessKey: string;
  /** Certificates in PEM: only what they have signed, or are themselves, is trusted at the addresses of this store. The well-known authorities, if left out. */
  certificateAuthority?: string | null | undefined;
  /** The secret key that belongs to `accessKey`. */
  secretKey: string;
  /** The address of the STS API, for temporary credentials. */
  stsEndpoint: string;
  /** The version of the Sub Account API: 1 or 2. */
  subAccountApiVersion?: number | null | undefined;
  /** The address of the Sub Account API. */
  subAccountEndpoint: string;
};

/** The kind of a new secret, and its value if you choose it. Exactly one field must be given. */
export type NewSecretInput =
  | {
      /** An access key and a secret key. */
      accessKey: AccessKeyInput;
      password?: never;
      providerKeys?: never;
      token?: never;
    }
  | {
      accessKey?: never; /** A user name and a password. */
      password: PasswordInput;
      providerKeys?: never;
      token?: never;
    }
  | {
      accessKey?: never;
      password?: never; /** Keys of an outside provider, which you supply. */
      providerKeys: ProviderKeysInput;
      token?: never;
    }
  | { accessKey?: never; password?: never; providerKeys?: never; /** A bearer token. */ token: TokenInput };

/** Which end of an order comes first. */
export type OrderDirection =
  /** Smallest, earliest or first in the alphabet first. */
  | 'ASC'
  /** Largest, latest or last in the alphabet first. */
  | 'DESC';

/** A user name and a password. */
export type PasswordInput = {
  /** The password: 12 to 1024 bytes of UTF-8. Keyway generates one, if left out. */
  password?: string | null | undefined;
  /** The user name. In the built-in store it must not look like an access key that Keyway generates, in small or capital letters. */
  username: string;
};

/** What a role allows. Without any permission, an account may read, rotate and revoke the credentials that it owns. */
export type Permission =
  /** Create, change and delete accounts. */
  | 'ACCOUNT_MANAGE'
  /** See accounts. */
  | 'ACCOUNT_READ'
  /** Read the audit log. */
  | 'AUDIT_READ'
  /** Create credentials, and issue temporary ones. */
  | 'CREDENTIAL_CREATE'
  /** See credentials, without their secrets. */
  | 'CREDENTIAL_READ'
  /** Get the secret of a retrievable credential again. */
  | 'CREDENTIAL_REVEAL'
  /** Revoke and delete credentials. This cannot be undone. */
  | 'CREDENTIAL_REVOKE'
  /** Replace the secret of a credential, and get the new one. */
  | 'CREDENTIAL_ROTATE'
  /** Change the fields of a credential, also whether it is enabled. */
  | 'CREDENTIAL_UPDATE'
  /** Verify the secrets that a service was presented with. */
  | 'CREDENTIAL_VERIFY'
  /** Create, change and delete projects. */
  | 'PROJECT_MANAGE'
  /** See projects. */
  | 'PROJECT_READ'
  /** Give the roles of an account to credentials and accounts there. If granted everywhere: also roles that are for all accounts. */
  | 'ROLE_GIVE'
  /** Create, change and delete the roles of an account and of its stores, and grant and withdraw roles there. If granted everywhere: also roles that are for all accounts. */
  | 'ROLE_MANAGE'
  /** See roles, and which accounts have them. */
  | 'ROLE_READ'
  /** Connect, check, sync, change and disconnect stores; give their roles, and create credentials in any of their scopes. */
  | 'STORE_MANAGE';

/** What happens to the previous secret in a rotation. */
export type PreviousSecret =
  /** It stops working at once. */
  | 'DIES'
  /** It can keep working for a grace period. */
  | 'LIVES';

/** Which projects: those that match every field that is given. A list matches if one of its items does. */
export type ProjectFilter = {
  /** Ids of the accounts that they belong to. */
  account?: Array<string> | null | undefined;
  /** Text that their name or title contains. Upper and lower case are equal, and so is the same text in other characters (Unicode NFKC). One or two characters match only at the beginning of a word: of the text, or after a space, `-`, `_`, `.` or `/`. */
  search?: string | null | undefined;
};

/** The system that provider keys belong to. */
export type Provider =
  /** Amazon Web Services. */
  | 'AWS'
  /** Azure Batch and Storage, by account keys. */
  | 'AZURE'
  /** Azure Repos. */
  | 'AZUREREPOS'
  /** Azure, by a service principal with a subscription. */
  | 'AZURE_CLOUD'
  /** Azure Batch and Storage, by a service principal. */
  | 'AZURE_ENTRA'
  /** Git repositories at Bitbucket. */
  | 'BITBUCKET'
  /** AWS CodeCommit. */
  | 'CODECOMMIT'
  /** A container registry. */
  | 'CONTAINER_REG'
  /** Git repositories at a Gitea server. */
  | 'GITEA'
  /** GitHub, as a user. */
  | 'GITHUB'
  /** GitHub, in the name of an app instead of a user. */
  | 'GITHUB_APP'
  /** Git repositories at GitLab. */
  | 'GITLAB'
  /** Google Cloud. */
  | 'GOOGLE'
  /** Kubernetes. */
  | 'K8S'
  /** A storage service with the S3 API. */
  | 'S3'
  /** Seqera Compute. */
  | 'SEQERACOMPUTE'
  /** Systems that are reached by SSH, with a private key. */
  | 'SSH'
  /** Tower Agent. */
  | 'TW_AGENT';

/** The keys of one provider, in fields with the names that the provider uses. Exactly one field must be given. */
export type ProviderKeysInput =
  | {
      /** Amazon Web Services. */
      aws: AwsKeysInput;
      azure?: never;
      azureCloud?: never;
      azureEntra?: never;
      azurerepos?: never;
      bitbucket?: never;
      codecommit?: never;
      containerReg?: never;
      gitea?: never;
      github?: never;
      githubApp?: never;
      gitlab?: never;
      google?: never;
      k8s?: never;
      s3?: never;
      seqeracompute?: never;
      ssh?: never;
      twAgent?: never;
    }
  | {
      aws?: never; /** Azure Batch and Storage, by account keys. */
      azure: AzureKeysInput;
      azureCloud?: never;
      azureEntra?: never;
      azurerepos?: never;
      bitbucket?: never;
      codecommit?: never;
      containerReg?: never;
      gitea?: never;
      github?: never;
      githubApp?: never;
      gitlab?: never;
      google?: never;
      k8s?: never;
      s3?: never;
      seqeracompute?: never;
      ssh?: never;
      twAgent?: never;
    }
  | {
      aws?: never;
      azure?: never; /** Azure, by a service principal with a subscription. */
      azureCloud: AzureCloudKeysInput;
      azureEntra?: never;
      azurerepos?: never;
      bitbucket?: never;
      codecommit?: never;
      containerReg?: never;
      gitea?: never;
      github?: never;
      githubApp?: never;
      gitlab?: never;
      google?: never;
      k8s?: never;
      s3?: never;
      seqeracompute?: never;
      ssh?: never;
      twAgent?: never;
    }
  | {
      aws?: never;
      azure?: never;
      azureCloud?: never; /** Azure Batch and Storage, by a service principal. */
      azureEntra: AzureEntraKeysInput;
      azurerepos?: never;
      bitbucket?: never;
      codecommit?: never;
      containerReg?: never;
      gitea?: never;
      github?: never;
      githubApp?: never;
      gitlab?: never;
      google?: never;
      k8s?: never;
      s3?: never;
      seqeracompute?: never;
      ssh?: never;
      twAgent?: never;
    }
  | {
      aws?: never;
      azure?: never;
      azureCloud?: never;
      azureEntra?: never; /** Azure Repos. */
      azurerepos: GitKeysInput;
      bitbucket?: never;
      codecommit?: never;
      containerReg?: never;
      gitea?: never;
      github?: never;
      githubApp?: never;
      gitlab?: never;
      google?: never;
      k8s?: never;
      s3?: never;
      seqeracompute?: never;
      ssh?: never;
      twAgent?: never;
    }
  | {
      aws?: never;
      azure?: never;
      azureCloud?: never;
      azureEntra?: never;
      azurerepos?: never; /** Git repositories at Bitbucket. */
      bitbucket: GitKeysInput;
      codecommit?: never;
      containerReg?: never;
      gitea?: never;
      github?: never;
      githubApp?: never;
      gitlab?: never;
      google?: never;
      k8s?: never;
      s3?: never;
      seqeracompute?: never;
      ssh?: never;
      twAgent?: never;
    }
  | {
      aws?: never;
      azure?: never;
      azureCloud?: never;
      azureEntra?: never;
      azurerepos?: never;
      bitbucket?: never; /** AWS CodeCommit. */
      codecommit: GitKeysInput;
      containerReg?: never;
      gitea?: never;
      github?: never;
      githubApp?: never;
      gitlab?: never;
      google?: never;
      k8s?: never;
      s3?: never;
      seqeracompute?: never;
      ssh?: never;
      twAgent?: never;
    }
  | {
      aws?: never;
      azure?: never;
      azureCloud?: never;
      azureEntra?: never;
      azurerepos?: never;
      bitbucket?: never;
      codecommit?: never; /** A container registry. */
      containerReg: ContainerRegKeysInput;
      gitea?: never;
      github?: never;
      githubApp?: never;
      gitlab?: never;
      google?: never;
      k8s?: never;
      s3?: never;
      seqeracompute?: never;
      ssh?: never;
      twAgent?: never;
    }
  | {
      aws?: never;
      azure?: never;
      azureCloud?: never;
      azureEntra?: never;
      azurerepos?: never;
      bitbucket?: never;
      codecommit?: never;
      containerReg?: never; /** Git repositories at a Gitea server. */
      gitea: GitKeysInput;
      github?: never;
      githubApp?: never;
      gitlab?: never;
      google?: never;
      k8s?: never;
      s3?: never;
      seqeracompute?: never;
      ssh?: never;
      twAgent?: never;
    }
  | {
      aws?: never;
      azure?: never;
      azureCloud?: never;
      azureEntra?: never;
      azurerepos?: never;
      bitbucket?: never;
      codecommit?: never;
      containerReg?: never;
      gitea?: never; /** GitHub, as a user. */
      github: GitKeysInput;
      githubApp?: never;
      gitlab?: never;
      google?: never;
      k8s?: never;
      s3?: never;
      seqeracompute?: never;
      ssh?: never;
      twAgent?: never;
    }
  | {
      aws?: never;
      azure?: never;
      azureCloud?: never;
      azureEntra?: never;
      azurerepos?: never;
      bitbucket?: never;
      codecommit?: never;
      containerReg?: never;
      gitea?: never;
      github?: never; /** GitHub, in the name of an app instead of a user. */
      githubApp: GithubAppKeysInput;
      gitlab?: never;
      google?: never;
      k8s?: never;
      s3?: never;
      seqeracompute?: never;
      ssh?: never;
      twAgent?: never;
    }
  | {
      aws?: never;
      azure?: never;
      azureCloud?: never;
      azureEntra?: never;
      azurerepos?: never;
      bitbucket?: never;
      codecommit?: never;
      containerReg?: never;
      gitea?: never;
      github?: never;
      githubApp?: never; /** Git repositories at GitLab. */
      gitlab: GitKeysInput;
      google?: never;
      k8s?: never;
      s3?: never;
      seqeracompute?: never;
      ssh?: never;
      twAgent?: never;
    }
  | {
      aws?: never;
      azure?: never;
      azureCloud?: never;
      azureEntra?: never;
      azurerepos?: never;
      bitbucket?: never;
      codecommit?: never;
      containerReg?: never;
      gitea?: never;
      github?: never;
      githubApp?: never;
      gitlab?: never; /** Google Cloud. */
      google: GoogleKeysInput;
      k8s?: never;
      s3?: never;
      seqeracompute?: never;
      ssh?: never;
      twAgent?: never;
    }
  | {
      aws?: never;
      azure?: never;
      azureCloud?: never;
      azureEntra?: never;
      azurerepos?: never;
      bitbucket?: never;
      codecommit?: never;
      containerReg?: never;
      gitea?: never;
      github?: never;
      githubApp?: never;
      gitlab?: never;
      google?: never; /** Kubernetes. */
      k8s: K8sKeysInput;
      s3?: never;
      seqeracompute?: never;
      ssh?: never;
      twAgent?: never;
    }
  | {
      aws?: never;
      azure?: never;
      azureCloud?: never;
      azureEntra?: never;
      azurerepos?: never;
      bitbucket?: never;
      codecommit?: never;
      containerReg?: never;
      gitea?: never;
      github?: never;
      githubApp?: never;
      gitlab?: never;
      google?: never;
      k8s?: never; /** A storage service with the S3 API. */
      s3: S3KeysInput;
      seqeracompute?: never;
      ssh?: never;
      twAgent?: never;
    }
  | {
      aws?: never;
      azure?: never;
      azureCloud?: never;
      azureEntra?: never;
      azurerepos?: never;
      bitbucket?: never;
      codecommit?: never;
      containerReg?: never;
      gitea?: never;
      github?: never;
      githubApp?: never;
      gitlab?: never;
      google?: never;
      k8s?: never;
      s3?: never; /** Seqera Compute. */
      seqeracompute: SeqeracomputeKeysInput;
      ssh?: never;
      twAgent?: never;
    }
  | {
      aws?: never;
      azure?: never;
      azureCloud?: never;
      azureEntra?: never;
      azurerepos?: never;
      bitbucket?: never;
      codecommit?: never;
      containerReg?: never;
      gitea?: never;
      github?: never;
      githubApp?: never;
      gitlab?: never;
      google?: never;
      k8s?: never;
      s3?: never;
      seqeracompute?: never; /** Systems that are reached by SSH. */
      ssh: SshKeysInput;
      twAgent?: never;
    }
  | {
      aws?: never;
      azure?: never;
      azureCloud?: never;
      azureEntra?: never;
      azurerepos?: never;
      bitbucket?: never;
      codecommit?: never;
      containerReg?: never;
      gitea?: never;
      github?: never;
      githubApp?: never;
      gitlab?: never;
      google?: never;
      k8s?: never;
      s3?: never;
      seqeracompute?: never;
      ssh?: never; /** Tower Agent. */
      twAgent: TwAgentKeysInput;
    };

/** How often a credential may be verified within a length of time, and the temporary credentials derived from it together with it. */
export type RateLimitInput = {
  /** How many uses are allowed within `window`, whenever that is taken to begin: 1 to 1000000000. */
  uses: number;
  /** The length of time, as an ISO 8601 duration: whole seconds, PT1S to P31D. */
  window: string;
};

/** How the remaining uses of a credential are filled up again. */
export type RefillInput = {
  /** How many uses remain after it: 1 to 1000000000. If more are left, those stay, and none are added. */
  amount: number;
  /** The time from one refill to the next, as an ISO 8601 duration: whole seconds, PT1M to P366D. The first refill is so long after this request. */
  every: string;
};

/** How often a credential can still be verified, and the temporary credentials derived from it together with it. */
export type RemainingUsesInput = {
  /** How many uses remain from now on: 0 to 1000000000. */
  count: number;
  /** How they are filled up again; not, if left out. If `every` stays as it was, so does the time of the next refill. */
  refill?: RefillInput | null | undefined;
};

/** What `revealCredential` takes. */
export type RevealCredentialInput = {
  /** The credential to show the secret of. */
  id: string;
  /** A code of the second factor (TOTP), or a recovery code. Needed if the account of the caller requires a second factor. */
  mfaCode?: string | null | undefined;
};

/** What `revokeCredential` takes. */
export type RevokeCredentialInput = {
  /** The credential to revoke. */
  id: string;
  /** Makes it safe to send this request again: for 24 hours, a request with the same key and the same input gets the answer of the first one and changes nothing. 1 to 200 printable ASCII characters. */
  idempotencyKey?: string | null | undefined;
  /** Why it is revoked, for the record: `revokeReason` of the credential. That of one that has ended before stays (`reasonRecorded`). At most 500 characters. */
  reason?: string | null | undefined;
};

/** Which roles: those that match every field that is given. A list matches if one of its items does. */
export type RoleFilter = {
  /** Ids of the accounts whose roles they are. */
  account?: Array<string> | null | undefined;
  /** Text that their name contains. Upper and lower case are equal, and so is the same text in other characters (Unicode NFKC). One or two characters match only at the beginning of a word: of the text, or after a space, `-`, `_`, `.` or `/`. */
  search?: string | null | undefined;
  /** Ids of the outside stores whose roles they are. */
  store?: Array<string> | null | undefined;
};

/** What `rotateCredential` takes. */
export type RotateCredentialInput = {
  /** The number of the revision that this request is meant for. If the credential has another one now, nothing is changed and the error is CONFLICT. Not checked, if left out. */
  expectedRevision?: number | null | undefined;
  /** How long the previous secret keeps working, as an ISO 8601 duration: at most P90D. PT0S ends it at once. */
  gracePeriod?: string | null | undefined;
  /** The credential to rotate. */
  id: string;
  /** Makes it safe to send this request again: for 24 hours, a request with the same key and the same input gets the answer of the first one and changes nothing. 1 to 200 printable ASCII characters. */
  idempotencyKey?: string | null | undefined;
  /** A code of the second factor (TOTP), or a recovery code. Needed if the account of the caller requires a second factor. */
  mfaCode?: string | null | undefined;
  /** The new secret, of the same kind as before. Needed for provider keys; for a password it may be given; otherwise Keyway or the store generates it. */
  secret?: NewSecretInput | null | undefined;
};

/** How often Keyway replaces the secret of a credential by itself. It does so only for retrievable credentials whose secret Keyway or the store makes. */
export type RotationPolicyInput = {
  /** The time from one rotation to the next, as an ISO 8601 duration: more than zero, at most P10Y. */
  every: string;
  /** How long the previous secret keeps working after a rotation, as an ISO 8601 duration: at most P90D. `PT0S` for a store where the previous secret stops working at once. */
  gracePeriod: string;
};

/** How far a rotation has come. */
export type RotationState =
  /** The new secret did not come into use; `failure` says why. The secret before it stays as it was. */
  | 'FAILED'
  /** The new secret is in use. The previous one no longer works, or a later rotation ends it. */
  | 'FINISHED'
  /** The store was called but its answer was lost, so it is not known which secret works. Rotate again. */
  | 'OUTCOME_UNKNOWN'
  /** It is recorded, and the result of the store is not known yet. The store may have been called already. */
  | 'PLANNED'
  /** The new secret is in use, and the previous one still works. */
  | 'SWITCHED';

/** Keys of a storage service with the S3 API. */
export type S3KeysInput = {
  /** The access key, the public half of the pair. */
  accessKey: string;
  /** Whether buckets are named in the path instead of the host name. */
  pathStyleAccessEnabled?: boolean | null | undefined;
  /** The secret key that belongs to `accessKey`. */
  secretKey: string;
};

/** The characters that a generated secret consists of. */
export type SecretFormat =
  /** Digits and letters. */
  | 'BASE62'
  /** Letters, digits, `+` and `/`, as in base64. */
  | 'BASE64'
  /** Hexadecimal digits. Clients that sign with VERACODE_HMAC_SHA_256 need this. */
  | 'HEX';

/** How Keyway reaches Seqera Platform. */
export type SeqeraConnectionInput = {
  /** Certificates in PEM: only what they have signed, or are themselves, is trusted at the addresses of this store. The well-known authorities, if left out. */
  certificateAuthority?: string | null | undefined;
  /** The address of the API. */
  endpoint: string;
  /** A personal access token of the platform. */
  token: string;
  /** The ids of the workspaces to list credentials of; only the personal workspace of the owner of the token, if left out. */
  workspaces?: Array<string> | null | undefined;
};

/** Keys of AWS for Seqera Compute: an access key with its secret key, or, if `mode` is ROLE, a role to assume. */
export type SeqeracomputeKeysInput = {
  /** The access key id. Comes with `secretKey`. */
  accessKey?: string | null | undefined;
  /** The ARN of the role to assume. Needed if `mode` is ROLE. */
  assumeRoleArn?: string | null | undefined;
  /** The external id that the trust policy of the role asks for. */
  externalId?: string | null | undefined;
  /** How to authenticate to AWS; KEYS, if left out. */
  mode?: AwsKeysMode | null | undefined;
  /** The secret access key. */
  secretKey?: string | null | undefined;
};

/** The scheme that a request is signed with. */
export type SignatureScheme =
  /** HTTP Message Signatures (RFC 9421) with hmac-sha256. The signature covers @method, @authority, @path, @query, content-type and content-digest, and has the parameters created, nonce and keyid. */
  | 'HTTP_MESSAGE_SIGNATURES'
  /** Signed query or form parameters, as the Landscape API defines them. */
  | 'LANDSCAPE_HMAC_SHA_256'
  /** The header `x-ncp-apigw-signature-v2`, as NAVER Cloud defines it. */
  | 'NCP_SIGNATURE_V2'
  /** The `Authorization` header with the scheme VERACODE-HMAC-SHA-256, as Veracode defines it. */
  | 'VERACODE_HMAC_SHA_256';

/** A private key for SSH, for `ssh`. */
export type SshKeysInput = {
  /** The passphrase that the private key is protected with. */
  passphrase?: string | null | undefined;
  /** The private key, in PEM or the format of OpenSSH. */
  privateKey: string;
};

/** What Keyway can do in a store. It follows from the kind of the store. */
export type StoreCapability =
  /** List who may use a credential. No kind of store has this at present. */
  | 'ACCESS_LIST'
  /** Create credentials. */
  | 'CREATE'
  /** Delete credentials. */
  | 'DELETE'
  /** Read one credential. */
  | 'FIND'
  /** Issue temporary credentials. */
  | 'ISSUE'
  /** List the credentials it has, so that a sync can bring them in. */
  | 'LIST'
  /** Show the secrets of its credentials. Secrets that Keyway has itself can be revealed for every store. */
  | 'REVEAL'
  /** Revoke credentials. */
  | 'REVOKE'
  /** Rotate credentials. */
  | 'ROTATE'
  /** Change credentials. */
  | 'UPDATE';

/** What is to be done in an outside store. */
export type StoreChangeKind =
  /** Create the credential. */
  | 'CREATE'
  /** End the credential, and remove it. */
  | 'DELETE'
  /** End what a request may have created if its answer was lost. The store is looked at twice: some seconds after the request, and two minutes after it. */
  | 'LOOK'
  /** End a previous secret. */
  | 'RETIRE'
  /** End the credential. */
  | 'REVOKE'
  /** Bring in its next secret. */
  | 'ROTATE'
  /** Change what the store keeps of it. */
  | 'UPDATE';

/** Whether Keyway sends calls to a store at present. Each Keyway process decides this by itself; the answer is that of the process that answers. */
export type StoreCircuit =
  /** Calls are sent. */
  | 'CLOSED'
  /** One call is sent to find out whether the store works again. */
  | 'HALF_OPEN'
  /** No calls are sent for a short time, because several calls in a row have failed. */
  | 'OPEN';

/** The address of an outside system and the credential that Keyway has for it. Exactly one field must be given: that of the kind of system. */
export type StoreConnectionInput =
  | {
      /** How Keyway reaches Apinizer. */
      apinizer: ApinizerConnectionInput;
      landscape?: never;
      ncloud?: never;
      seqera?: never;
      veracode?: never;
    }
  | {
      apinizer?: never; /** How Keyway reaches Landscape. Give `accessKey` with `secretKey` (recommended), or `email` or `identity` with `password`, or only a `jwt`, which expires. If a password is given together with the pair of keys, Keyway can rotate the pair, because it can still log in by the password. */
      landscape: LandscapeConnectionInput;
      ncloud?: never;
      seqera?: never;
      veracode?: never;
    }
  | {
      apinizer?: never;
      landscape?: never; /** How Keyway reaches NAVER Cloud. */
      ncloud: NcloudConnectionInput;
      seqera?: never;
      veracode?: never;
    }
  | {
      apinizer?: never;
      landscape?: never;
      ncloud?: never; /** How Keyway reaches Seqera Platform. */
      seqera: SeqeraConnectionInput;
      veracode?: never;
    }
  | {
      apinizer?: never;
      landscape?: never;
      ncloud?: never;
      seqera?: never; /** How Keyway reaches Veracode. */
      veracode: VeracodeConnectionInput;
    };

/** The kind of system behind a store. */
export type StoreKind =
  /** Apinizer: the users of its API gateway, with their passwords. */
  | 'APINIZER'
  /** Keyway's own database. */
  | 'BUILT_IN'
  /** Landscape: one pair of keys for each of its accounts. */
  | 'LANDSCAPE'
  /** NAVER Cloud: up to two access keys for each of its sub accounts, and temporary ones. */
  | 'NCLOUD'
  /** Seqera Platform: the keys of providers in its workspaces. */
  | 'SEQERA'
  /** Veracode: one pair of keys for each of its users. */
  | 'VERACODE';

/** A code of a second factor that belongs to the outside store, not to Keyway. */
export type StoreMfaInput = {
  /** The code that the device shows now. */
  code: string;
  /** The id of the device in the store. */
  device: string;
};

/** What a credential can be given where its store keeps to it. */
export type StoreSettable =
  /** The addresses that it may be used from: `allowedIps`. */
  | 'ALLOWED_IPS'
  /** The address of the server that it is for: `baseUrl`. */
  | 'BASE_URL'
  /** Whether it works: `enabled` may be false. */
  | 'ENABLED'
  /** When it stops working: `expiresAt`. */
  | 'EXPIRES_AT';

/** What `syncStore` takes. */
export type SyncStoreInput = {
  /** The store to sync. */
  id: string;
  /** Makes it safe to send this request again: for 24 hours, a request with the same key and the same input gets the answer of the first one and changes nothing. 1 to 200 printable ASCII characters. */
  idempotencyKey?: string | null | undefined;
};

/** A bearer token. Services can verify it, and it can call Keyway itself with the permissions of its account, or with fewer. It expires within 366 days: after 90 days, if `expiresAt` is left out. */
export type TokenInput = {
  /** The permissions of the account that the token may use; all of them, if left out. */
  permissions?: Array<Permission> | null | undefined;
  /** Text that the token starts with. 1 to 31 letters, digits, underscores and hyphens, starting with a letter. */
  prefix?: string | null | undefined;
};

/** The connection to a Tower Agent. */
export type TwAgentKeysInput = {
  /** The connection id that the agent was started with. */
  connectionId: string;
  /** Whether the whole workspace may use the agent. */
  shared?: boolean | null | undefined;
  /** The work directory of the agent. */
  workDir?: string | null | undefined;
};

/** A field that is left out keeps its value; null removes it, or is an error if the field must have a value. The roles, addresses, expiry, owner, project, rotation policy and limits of a temporary credential cannot be changed. */
export type UpdateCredentialInput = {
  /** The addresses that it may be used from. Null allows any address; an empty list is an error if only some addresses were allowed before. */
  allowedIps?: Array<string> | null | undefined;
  /** The address of the server that the keys are for, such as `https://git.example.com`. Null removes it. Only for stores that choose between credentials by it, and for Git hosts there. Needs CREDENTIAL_REVEAL, or `secret` along with it. */
  baseUrl?: string | null | undefined;
  /** A word of your choice to group credentials; null removes it. */
  category?: string | null | undefined;
  /** What the credential is for; null removes the text. */
  description?: string | null | undefined;
  /** The e-mail address of the person who uses it; null removes it. */
  email?: string | null | undefined;
  /** Whether it is switched on. */
  enabled?: boolean | null | undefined;
  /** The number of the revision that this request is meant for. If the credential has another one now, nothing is changed and the error is CONFLICT. Not checked, if left out. */
  expectedRevision?: number | null | undefined;
  /** When it stops working; null means never, which is an error for a token. */
  expiresAt?: string | null | undefined;
  /** The full name of the person who uses it; null removes it. */
  fullName?: string | null | undefined;
  /** The credential to change. */
  id: string;
  /** Makes it safe to send this request again: for 24 hours, a request with the same key and the same input gets the answer of the first one and changes nothing. 1 to 200 printable ASCII characters. */
  idempotencyKey?: string | null | undefined;
  /** A code of the second factor (TOTP), or a recovery code. Needed if the account of the caller requires a second factor, to give the credential another owner or project, or another `baseUrl` without its secret. */
  mfaCode?: string | null | undefined;
  /** A name for people. */
  name?: string | null | undefined;
  /** Whether to send the secret that Keyway has with the change even if somebody else has changed the credential in the store since, which is CONFLICT otherwise. A newer secret in the store is overwritten. */
  overwriteSecret?: boolean | null | undefined;
  /** The account of the person or service that is responsible for it; null removes the owner. */
  owner?: string | null | undefined;
  /** The project that it is in; null takes it out of its project. */
  project?: string | null | undefined;
  /** How often it may be verified within a length of time; null means any number of times. The uses so far count if `window` stays as it was. */
  rateLimit?: RateLimitInput | null | undefined;
  /** How often it can still be verified; null means any number of times. */
  remainingUses?: RemainingUsesInput | null | undefined;
  /** Ids of its roles. They replace all that it has; null or an empty list removes all. */
  roles?: Array<string> | null | undefined;
  /** How often Keyway rotates it by itself; null means never. */
  rotationPolicy?: RotationPolicyInput | null | undefined;
  /** The secret that is in the store now, for stores that accept a change only together with the secret: sent instead of the one that Keyway has, and stored from then on. If null, Keyway sends the one that it has. */
  secret?: NewSecretInput | null | undefined;
};

/** How Keyway reaches Veracode. */
export type VeracodeConnectionInput = {
  /** The API id of an administrator. */
  apiId: string;
  /** The API key that belongs to `apiId`. */
  apiKey: string;
  /** Certificates in PEM: only what they have signed, or are themselves, is trusted at the addresses of this store. The well-known authorities, if left out. */
  certificateAuthority?: string | null | undefined;
  /** The address of the API of your region. */
  endpoint: string;
  /** The API id of a second administrator. With it, Keyway can rotate each of the two pairs: if one is lost, it still has the other. Comes with `fallbackApiKey`. */
  fallbackApiId?: string | null | undefined;
  /** The API key that belongs to `fallbackApiId`. */
  fallbackApiKey?: string | null | undefined;
};

export type ViewerQueryVariables = Exact<{ [key: string]: never }>;

export type ViewerQuery = {
  viewerMay: Array<Permission>;
  viewer: { id: string; name: string; title: string; kind: AccountKind };
};

export type CredentialRowFragment = {
  id: string;
  name: string;
  kind: CredentialKind;
  status: CredentialStatus;
  accessKey: string | null;
  provider: Provider | null;
  createdAt: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
  viewerMay: Array<Permission>;
  store: { id: string; name: string; kind: StoreKind; rotation: { previous: PreviousSecret } | null };
  account: { id: string; name: string };
  owner: { id: string; name: string; title: string } | null;
  project: { id: string; name: string } | null;
  rotationPolicy: { every: string; nextAt: string; overdueSince: string | null } | null;
};

export type InventoryQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
  filter?: CredentialFilter | null | undefined;
  orderBy?: CredentialOrder | null | undefined;
}>;

export type InventoryQuery = {
  credentials: {
    nodes: Array<CredentialRowFragment>;
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
};

export type InventoryCountQueryVariables = Exact<{
  filter?: CredentialFilter | null | undefined;
}>;

export type InventoryCountQuery = { credentials: { totalCount: number } };

export type CredentialFactsFragment = {
  description: string | null;
  fullName: string | null;
  email: string | null;
  category: string | null;
  enabled: boolean | null;
  problem: string | null;
  allowedIps: Array<string> | null;
  permissions: Array<Permission> | null;
  scope: string | null;
  externalId: string | null;
  baseUrl: string | null;
  partial: boolean;
  reachesStore: boolean;
  retrievable: boolean;
  revision: number;
  updatedAt: string;
  observedAt: string;
  revokedAt: string | null;
  revokeReason: string | null;
  deletedAt: string | null;
  goneAt: string | null;
  rotationPolicy: { every: string; gracePeriod: string; nextAt: string; overdueSince: string | null } | null;
  rateLimit: { uses: number; window: string } | null;
  parent: { id: string; name: string } | null;
  roles: Array<{ id: string; name: string; description: string | null }>;
  versions: Array<{
    number: number;
    state: CredentialVersionState;
    createdAt: string;
    lastUsedAt: string | null;
    validUntil: string | null;
  }>;
  rotation: {
    id: string;
    state: RotationState;
    startedAt: string;
    finishedAt: string | null;
    failure: string | null;
    safeToRetire: boolean;
  } | null;
  storeChanges: Array<{
    kind: StoreChangeKind;
    since: string;
    attempts: number;
    failure: string | null;
    nextAt: string | null;
  }>;
  store: {
    id: string;
    name: string;
    kind: StoreKind;
    capabilities: Array<StoreCapability>;
    rotation: { previous: PreviousSecret } | null;
  };
} & CredentialRowFragment;

export type CredentialQueryVariables = Exact<{
  id: string;
}>;

export type CredentialQuery = { credential: CredentialFactsFragment | null };

export type CredentialAuditQueryVariables = Exact<{
  id: string;
  after?: string | null | undefined;
}>;

export type CredentialAuditQuery = {
  credential: {
    id: string;
    auditEvents: {
      nodes: Array<AuditLineFragment>;
      pageInfo: { hasNextPage: boolean; endCursor: string | null };
    };
  } | null;
};

export type AuditLineFragment = {
  id: string;
  at: string;
  action: string;
  outcome: AuditOutcome;
  code: string | null;
  ip: string | null;
  requestId: string;
  changed: Array<string>;
  times: number;
  targetId: string | null;
  actor: { id: string; name: string; title: string } | null;
  target:
    | { __typename: 'Account'; id: string }
    | { __typename: 'AuditEvent'; id: string }
    | { __typename: 'Credential'; name: string; id: string }
    | { __typename: 'CredentialStore'; id: string }
    | { __typename: 'Grant'; id: string }
    | { __typename: 'Project'; id: string }
    | { __typename: 'Role'; id: string }
    | { __typename: 'Rotation'; id: string }
    | null;
};

export type AuditQueryVariables = Exact<{
  first: number;
  after?: string | null | undefined;
  filter?: AuditFilter | null | undefined;
}>;

export type AuditQuery = {
  auditEvents: {
    nodes: Array<AuditLineFragment>;
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
};

export type StoreCardFragment = {
  id: string;
  name: string;
  kind: StoreKind;
  endpoint: string | null;
  region: string | null;
  capabilities: Array<StoreCapability>;
  viewerMay: Array<Permission>;
  account: { id: string; name: string } | null;
  health: { reachable: boolean; checkedAt: string | null; circuit: StoreCircuit; problem: string | null };
  lastSync: {
    startedAt: string;
    finishedAt: string | null;
    added: number;
    changed: number;
    gone: number;
    error: string | null;
  } | null;
  budget: { limit: number; used: number; window: string; resetsAt: string } | null;
};

export type StoresQueryVariables = Exact<{ [key: string]: never }>;

export type StoresQuery = { stores: Array<StoreCardFragment> };

export type StoreNamesQueryVariables = Exact<{ [key: string]: never }>;

export type StoreNamesQuery = { stores: Array<{ id: string; name: string; kind: StoreKind }> };

export type NamesQueryVariables = Exact<{
  ids: Array<string> | string;
}>;

export type NamesQuery = {
  nodes: Array<
    | { __typename: 'Account'; title: string; id: string }
    | { __typename: 'AuditEvent'; id: string }
    | { __typename: 'Credential'; id: string }
    | { __typename: 'CredentialStore'; id: string }
    | { __typename: 'Grant'; id: string }
    | { __typename: 'Project'; title: string; id: string }
    | { __typename: 'Role'; name: string; id: string }
    | { __typename: 'Rotation'; id: string }
    | null
  >;
};

export type IssuedFragment = {
  accessKey: string | null;
  secret: string | null;
  expiresAt: string | null;
  dotenv: string | null;
  keys: Array<{ name: string; value: string }> | null;
};

export type RotateCredentialMutationVariables = Exact<{
  input: RotateCredentialInput;
}>;

export type RotateCredentialMutation = {
  rotateCredential: { credential: CredentialFactsFragment; issued: IssuedFragment };
};

export type RevealCredentialMutationVariables = Exact<{
  input: RevealCredentialInput;
}>;

export type RevealCredentialMutation = {
  revealCredential: { credential: { id: string; revision: number }; issued: IssuedFragment };
};

export type RevokeCredentialMutationVariables = Exact<{
  input: RevokeCredentialInput;
}>;

export type RevokeCredentialMutation = { revokeCredential: { credential: CredentialFactsFragment } };

export type UpdateCredentialMutationVariables = Exact<{
  input: UpdateCredentialInput;
}>;

export type UpdateCredentialMutation = { updateCredential: { credential: CredentialFactsFragment } };

export type SyncStoreMutationVariables = Exact<{
  input: SyncStoreInput;
}>;

export type SyncStoreMutation = { syncStore: { store: StoreCardFragment } };

export type CheckStoreMutationVariables = Exact<{
  input: CheckStoreInput;
}>;

export type CheckStoreMutation = { checkStore: { store: StoreCardFragment } };

export type OverviewQueryVariables = Exact<{ [key: string]: never }>;

export type OverviewQuery = {
  insight: {
    credentials: number;
    expiring: number;
    overdue: number;
    withoutOwner: number;
    unused: number;
    byStatus: Array<{ status: CredentialStatus; count: number }>;
    rotationHealth: { rotating: number; safeToRetire: number; failed: number; unknown: number };
    expiriesByWeek: Array<{ week: string; count: number }>;
    rotationsByDay: Array<{ day: string; count: number }>;
    verificationsByDay: Array<{ day: string; count: number }>;
    refusalsByDay: Array<{ day: string; count: number }>;
  };
};

export type LookupAccountsQueryVariables = Exact<{
  filter?: AccountFilter | null | undefined;
}>;

export type LookupAccountsQuery = {
  accounts: { nodes: Array<{ id: string; name: string; title: string; viewerMay: Array<Permission> }> };
};

export type LookupProjectsQueryVariables = Exact<{
  filter?: ProjectFilter | null | undefined;
}>;

export type LookupProjectsQuery = { projects: { nodes: Array<{ id: string; name: string; title: string }> } };

export type LookupRolesQueryVariables = Exact<{
  filter?: RoleFilter | null | undefined;
}>;

export type LookupRolesQuery = {
  roles: {
    nodes: Array<{
      id: string;
      name: string;
      account: { id: string; title: string } | null;
      store: { id: string; name: string } | null;
    }>;
  };
};

export type CreatableStoresQueryVariables = Exact<{ [key: string]: never }>;

export type CreatableStoresQuery = {
  stores: Array<{
    id: string;
    name: string;
    kind: StoreKind;
    creates: Array<CredentialKind>;
    settable: Array<StoreSettable>;
    account: { id: string; name: string; title: string } | null;
  }>;
};

export type StoreScopesQueryVariables = Exact<{
  id: string;
}>;

export type StoreScopesQuery = {
  node:
    { id: string; scopes: Array<{ id: string; name: string }> | null } | Record<PropertyKey, never> | null;
};

export type CreateCredentialMutationVariables = Exact<{
  input: CreateCredentialInput;
}>;

export type CreateCredentialMutation = {
  createCredential: { credential: CredentialFactsFragment; issued: IssuedFragment | null };
};

export type IssueTemporaryCredentialMutationVariables = Exact<{
  input: IssueTemporaryCredentialInput;
}>;

export type IssueTemporaryCredentialMutation = {
  issueTemporaryCredential: { credential: CredentialFactsFragment; issued: IssuedFragment };
};

export type CreateStoreMutationVariables = Exact<{
  input: CreateStoreInput;
}>;

export type CreateStoreMutation = { createStore: { store: StoreCardFragment } };

export type AccountLineFragment = {
  id: string;
  name: string;
  title: string;
  kind: AccountKind;
  enabled: boolean;
};

export type AccountsQueryVariables = Exact<{
  after?: string | null | undefined;
  filter?: AccountFilter | null | undefined;
}>;

export type AccountsQuery = {
  accounts: {
    nodes: Array<{ parent: { id: string } | null } & AccountLineFragment>;
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
};

export type ProjectsQueryVariables = Exact<{
  after?: string | null | undefined;
  filter?: ProjectFilter | null | undefined;
}>;

export type ProjectsQuery = {
  projects: {
    nodes: Array<{ id: string; name: string; title: string }>;
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
};

export type RolesQueryVariables = Exact<{
  after?: string | null | undefined;
  filter?: RoleFilter | null | undefined;
}>;

export type RolesQuery = {
  roles: {
    nodes: Array<{
      id: string;
      name: string;
      description: string | null;
      builtIn: boolean;
      permissions: Array<Permission>;
      account: { id: string; title: string } | null;
      store: { id: string; name: string } | null;
    }>;
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
};

export type GrantLineFragment = {
  id: string;
  createdAt: string;
  account: { id: string; title: string };
  role: { id: string; name: string; permissions: Array<Permission> };
  onAccount: { id: string; title: string } | null;
  onProject: { id: string; title: string } | null;
};

export type PlaceQueryVariables = Exact<{
  id: string;
}>;

export type PlaceQuery = {
  node:
    | ({
        __typename: 'Account';
        email: string | null;
        createdAt: string;
        mfaRequired: boolean;
        mfaEnrolled: boolean;
        viewerMay: Array<Permission>;
        id: string;
        parent: { id: string; title: string } | null;
        grants: Array<GrantLineFragment>;
        grantsOn: Array<GrantLineFragment>;
      } & AccountLineFragment)
    | { __typename: 'AuditEvent'; id: string }
    | { __typename: 'Credential'; id: string }
    | { __typename: 'CredentialStore'; id: string }
    | { __typename: 'Grant'; id: string }
    | {
        __typename: 'Project';
        name: string;
        title: string;
        description: string | null;
        createdAt: string;
        viewerMay: Array<Permission>;
        id: string;
        account: { id: string; title: string };
        onIt: Array<GrantLineFragment>;
      }
    | { __typename: 'Role'; id: string }
    | { __typename: 'Rotation'; id: string }
    | null;
};

export type WhoQueryVariables = Exact<{
  can: Permission;
  on: string;
  after?: string | null | undefined;
}>;

export type WhoQuery = {
  who: {
    nodes: Array<{ asOwner: boolean; account: AccountLineFragment; grants: Array<GrantLineFragment> }>;
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
};

export const CredentialRowFragmentDoc = gql`
  fragment CredentialRow on Credential {
    id
    name
    kind
    status
    accessKey
    provider
    store {
      id
      name
      kind
      rotation {
        previous
      }
    }
    account {
      id
      name
    }
    owner {
      id
      name
      title
    }
    project {
      id
      name
    }
    createdAt
    expiresAt
    lastUsedAt
    rotationPolicy {
      every
      nextAt
      overdueSince
    }
    viewerMay
  }
` as unknown as DocumentNode<CredentialRowFragment, unknown>;
export const CredentialFactsFragmentDoc = gql`
  fragment CredentialFacts on Credential {
    ...CredentialRow
    description
    fullName
    email
    category
    enabled
    problem
    allowedIps
    permissions
    scope
    externalId
    baseUrl
    partial
    reachesStore
    retrievable
    revision
    updatedAt
    observedAt
    revokedAt
    revokeReason
    deletedAt
    goneAt
    rotationPolicy {
      every
      gracePeriod
      nextAt
      overdueSince
    }
    rateLimit {
      uses
      window
    }
    parent {
      id
      name
    }
    roles {
      id
      name
      description
    }
    versions {
      number
      state
      createdAt
      lastUsedAt
      validUntil
    }
    rotation {
      id
      state
      startedAt
      finishedAt
      failure
      safeToRetire
    }
    storeChanges {
      kind
      since
      attempts
      failure
      nextAt
    }
    store {
      id
      name
      kind
      capabilities
      rotation {
        previous
      }
    }
  }
` as unknown as DocumentNode<CredentialFactsFragment, unknown>;
export const AuditLineFragmentDoc = gql`
  fragment AuditLine on AuditEvent {
    id
    at
    action
    outcome
    code
    ip
    requestId
    changed
    times
    targetId
    actor {
      id
      name
      title
    }
    target {
      __typename
      id
      ... on Credential {
        name
      }
    }
  }
` as unknown as DocumentNode<AuditLineFragment, unknown>;
export const StoreCardFragmentDoc = gql`
  fragment StoreCard on CredentialStore {
    id
    name
    kind
    endpoint
    region
    account {
      id
      name
    }
    capabilities
    viewerMay
    health {
      reachable
      checkedAt
      circuit
      problem
    }
    lastSync {
      startedAt
      finishedAt
      added
      changed
      gone
      error
    }
    budget {
      limit
      used
      window
      resetsAt
    }
  }
` as unknown as DocumentNode<StoreCardFragment, unknown>;
export const IssuedFragmentDoc = gql`
  fragment Issued on IssuedSecret {
    accessKey
    secret
    keys {
      name
      value
    }
    expiresAt
    dotenv: exports(format: DOTENV)
  }
` as unknown as DocumentNode<IssuedFragment, unknown>;
export const AccountLineFragmentDoc = gql`
  fragment AccountLine on Account {
    id
    name
    title
    kind
    enabled
  }
` as unknown as DocumentNode<AccountLineFragment, unknown>;
export const GrantLineFragmentDoc = gql`
  fragment GrantLine on Grant {
    id
    createdAt
    account {
      id
      title
    }
    role {
      id
      name
      permissions
    }
    onAccount {
      id
      title
    }
    onProject {
      id
      title
    }
  }
` as unknown as DocumentNode<GrantLineFragment, unknown>;
export const ViewerDocument = gql`
  query Viewer {
    viewer {
      id
      name
      title
      kind
    }
    viewerMay
  }
` as unknown as DocumentNode<ViewerQuery, ViewerQueryVariables>;
export const InventoryDocument = gql`
  query Inventory($first: Int!, $after: String, $filter: CredentialFilter, $orderBy: CredentialOrder) {
    credentials(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
      nodes {
        ...CredentialRow
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
  ${CredentialRowFragmentDoc}
` as unknown as DocumentNode<InventoryQuery, InventoryQueryVariables>;
export const InventoryCountDocument = gql`
  query InventoryCount($filter: CredentialFilter) {
    credentials(first: 1, filter: $filter) {
      totalCount
    }
  }
` as unknown as DocumentNode<InventoryCountQuery, InventoryCountQueryVariables>;
export const CredentialDocument = gql`
  query Credential($id: ID!) {
    credential(id: $id) {
      ...CredentialFacts
    }
  }
  ${CredentialFactsFragmentDoc}
  ${CredentialRowFragmentDoc}
` as unknown as DocumentNode<CredentialQuery, CredentialQueryVariables>;
export const CredentialAuditDocument = gql`
  query CredentialAudit($id: ID!, $after: String) {
    credential(id: $id) {
      id
      auditEvents(first: 20, after: $after) {
        nodes {
          ...AuditLine
        }
        pageInfo {
          hasNextPage
          endCursor
        }
      }
    }
  }
  ${AuditLineFragmentDoc}
` as unknown as DocumentNode<CredentialAuditQuery, CredentialAuditQueryVariables>;
export const AuditDocument = gql`
  query Audit($first: Int!, $after: String, $filter: AuditFilter) {
    auditEvents(first: $first, after: $after, filter: $filter) {
      nodes {
        ...AuditLine
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
  ${AuditLineFragmentDoc}
` as unknown as DocumentNode<AuditQuery, AuditQueryVariables>;
export const StoresDocument = gql`
  query Stores {
    stores {
      ...StoreCard
    }
  }
  ${StoreCardFragmentDoc}
` as unknown as DocumentNode<StoresQuery, StoresQueryVariables>;
export const StoreNamesDocument = gql`
  query StoreNames {
    stores {
      id
      name
      kind
    }
  }
` as unknown as DocumentNode<StoreNamesQuery, StoreNamesQueryVariables>;
export const NamesDocument = gql`
  query Names($ids: [ID!]!) {
    nodes(ids: $ids) {
      __typename
      id
      ... on Account {
        title
      }
      ... on Project {
        title
      }
      ... on Role {
        name
      }
    }
  }
` as unknown as DocumentNode<NamesQuery, NamesQueryVariables>;
export const RotateCredentialDocument = gql`
  mutation RotateCredential($input: RotateCredentialInput!) {
    rotateCredential(input: $input) {
      credential {
        ...CredentialFacts
      }
      issued {
        ...Issued
      }
    }
  }
  ${CredentialFactsFragmentDoc}
  ${CredentialRowFragmentDoc}
  ${IssuedFragmentDoc}
` as unknown as DocumentNode<RotateCredentialMutation, RotateCredentialMutationVariables>;
export const RevealCredentialDocument = gql`
  mutation RevealCredential($input: RevealCredentialInput!) {
    revealCredential(input: $input) {
      credential {
        id
        revision
      }
      issued {
        ...Issued
      }
    }
  }
  ${IssuedFragmentDoc}
` as unknown as DocumentNode<RevealCredentialMutation, RevealCredentialMutationVariables>;
export const RevokeCredentialDocument = gql`
  mutation RevokeCredential($input: RevokeCredentialInput!) {
    revokeCredential(input: $input) {
      credential {
        ...CredentialFacts
      }
    }
  }
  ${CredentialFactsFragmentDoc}
  ${CredentialRowFragmentDoc}
` as unknown as DocumentNode<RevokeCredentialMutation, RevokeCredentialMutationVariables>;
export const UpdateCredentialDocument = gql`
  mutation UpdateCredential($input: UpdateCredentialInput!) {
    updateCredential(input: $input) {
      credential {
        ...CredentialFacts
      }
    }
  }
  ${CredentialFactsFragmentDoc}
  ${CredentialRowFragmentDoc}
` as unknown as DocumentNode<UpdateCredentialMutation, UpdateCredentialMutationVariables>;
export const SyncStoreDocument = gql`
  mutation SyncStore($input: SyncStoreInput!) {
    syncStore(input: $input) {
      store {
        ...StoreCard
      }
    }
  }
  ${StoreCardFragmentDoc}
` as unknown as DocumentNode<SyncStoreMutation, SyncStoreMutationVariables>;
export const CheckStoreDocument = gql`
  mutation CheckStore($input: CheckStoreInput!) {
    checkStore(input: $input) {
      store {
        ...StoreCard
      }
    }
  }
  ${StoreCardFragmentDoc}
` as unknown as DocumentNode<CheckStoreMutation, CheckStoreMutationVariables>;
export const OverviewDocument = gql`
  query Overview {
    insight {
      credentials
      byStatus {
        status
        count
      }
      expiring
      overdue
      withoutOwner
      unused
      rotationHealth {
        rotating
        safeToRetire
        failed
        unknown
      }
      expiriesByWeek {
        week
        count
      }
      rotationsByDay {
        day
        count
      }
      verificationsByDay {
        day
        count
      }
      refusalsByDay {
        day
        count
      }
    }
  }
` as unknown as DocumentNode<OverviewQuery, OverviewQueryVariables>;
export const LookupAccountsDocument = gql`
  query LookupAccounts($filter: AccountFilter) {
    accounts(first: 50, filter: $filter) {
      nodes {
        id
        name
        title
        viewerMay
      }
    }
  }
` as unknown as DocumentNode<LookupAccountsQuery, LookupAccountsQueryVariables>;
export const LookupProjectsDocument = gql`
  query LookupProjects($filter: ProjectFilter) {
    projects(first: 50, filter: $filter) {
      nodes {
        id
        name
        title
      }
    }
  }
` as unknown as DocumentNode<LookupProjectsQuery, LookupProjectsQueryVariables>;
export const LookupRolesDocument = gql`
  query LookupRoles($filter: RoleFilter) {
    roles(first: 50, filter: $filter) {
      nodes {
        id
        name
        account {
          id
          title
        }
        store {
          id
          name
        }
      }
    }
  }
` as unknown as DocumentNode<LookupRolesQuery, LookupRolesQueryVariables>;
export const CreatableStoresDocument = gql`
  query CreatableStores {
    stores {
      id
      name
      kind
      creates
      settable
      account {
        id
        name
        title
      }
    }
  }
` as unknown as DocumentNode<CreatableStoresQuery, CreatableStoresQueryVariables>;
export const StoreScopesDocument = gql`
  query StoreScopes($id: ID!) {
    node(id: $id) {
      ... on CredentialStore {
        id
        scopes {
          id
          name
        }
      }
    }
  }
` as unknown as DocumentNode<StoreScopesQuery, StoreScopesQueryVariables>;
export const CreateCredentialDocument = gql`
  mutation CreateCredential($input: CreateCredentialInput!) {
    createCredential(input: $input) {
      credential {
        ...CredentialFacts
      }
      issued {
        ...Issued
      }
    }
  }
  ${CredentialFactsFragmentDoc}
  ${CredentialRowFragmentDoc}
  ${IssuedFragmentDoc}
` as unknown as DocumentNode<CreateCredentialMutation, CreateCredentialMutationVariables>;
export const IssueTemporaryCredentialDocument = gql`
  mutation IssueTemporaryCredential($input: IssueTemporaryCredentialInput!) {
    issueTemporaryCredential(input: $input) {
      credential {
        ...CredentialFacts
      }
      issued {
        ...Issued
      }
    }
  }
  ${CredentialFactsFragmentDoc}
  ${CredentialRowFragmentDoc}
  ${IssuedFragmentDoc}
` as unknown as DocumentNode<IssueTemporaryCredentialMutation, IssueTemporaryCredentialMutationVariables>;
export const CreateStoreDocument = gql`
  mutation CreateStore($input: CreateStoreInput!) {
    createStore(input: $input) {
      store {
        ...StoreCard
      }
    }
  }
  ${StoreCardFragmentDoc}
` as unknown as DocumentNode<CreateStoreMutation, CreateStoreMutationVariables>;
export const AccountsDocument = gql`
  query Accounts($after: String, $filter: AccountFilter) {
    accounts(first: 100, after: $after, filter: $filter) {
      nodes {
        ...AccountLine
        parent {
          id
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
  ${AccountLineFragmentDoc}
` as unknown as DocumentNode<AccountsQuery, AccountsQueryVariables>;
export const ProjectsDocument = gql`
  query Projects($after: String, $filter: ProjectFilter) {
    projects(first: 100, after: $after, filter: $filter) {
      nodes {
        id
        name
        title
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
` as unknown as DocumentNode<ProjectsQuery, ProjectsQueryVariables>;
export const RolesDocument = gql`
  query Roles($after: String, $filter: RoleFilter) {
    roles(first: 100, after: $after, filter: $filter) {
      nodes {
        id
        name
        description
        builtIn
        permissions
        account {
          id
          title
        }
        store {
          id
          name
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
` as unknown as DocumentNode<RolesQuery, RolesQueryVariables>;
export const PlaceDocument = gql`
  query Place($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on Account {
        ...AccountLine
        email
        createdAt
        mfaRequired
        mfaEnrolled
        viewerMay
        parent {
          id
          title
        }
        grants {
          ...GrantLine
        }
        grantsOn {
          ...GrantLine
        }
      }
      ... on Project {
        name
        title
        description
        createdAt
        viewerMay
        account {
          id
          title
        }
        onIt: grants {
          ...GrantLine
        }
      }
    }
  }
  ${AccountLineFragmentDoc}
  ${GrantLineFragmentDoc}
` as unknown as DocumentNode<PlaceQuery, PlaceQueryVariables>;
export const WhoDocument = gql`
  query Who($can: Permission!, $on: ID!, $after: String) {
    who(can: $can, on: $on, first: 50, after: $after) {
      nodes {
        asOwner
        account {
          ...AccountLine
        }
        grants {
          ...GrantLine
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
  ${AccountLineFragmentDoc}
  ${GrantLineFragmentDoc}
` as unknown as DocumentNode<WhoQuery, WhoQueryVariables>;
/** What each interface and union of the graph may be. */
export const possibleTypes = {
  Node: ['Account', 'AuditEvent', 'Credential', 'CredentialStore', 'Grant', 'Project', 'Role', 'Rotation'],
};

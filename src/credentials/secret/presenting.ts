import type { SecretUse } from '../../connectors/connector.js';
import type { Registry } from '../../connectors/registry.js';
import { StoreKind, type CredentialStore } from '../../stores/store.js';
import { Provider } from '../record/provider.js';

/** Where a secret of an outside store is presented, and what the vendor's own tools call its parts. */
export interface Presenting extends Pick<SecretUse, 'variables' | 'withoutRegion'> {
  endpoint: string | null;
}

/** How the secrets of a store are used; undefined for Keyway's own, which has no address of its own. */
export function presentingOf(
  connectors: Registry,
  store: Pick<CredentialStore, 'kind' | 'addresses' | 'settings'>,
): Presenting | undefined {
  if (store.kind === StoreKind.BUILT_IN) return undefined;
  const { endpoint, ...use } = connectors[store.kind]?.use ?? {};
  return { ...use, endpoint: endpoint ? endpoint(store) : (store.addresses['endpoint'] ?? null) };
}

/** What of a store `s` is asked for with a secret, in SQL. */
export const storeOfSecret = `json_build_object('kind', s.kind, 'addresses', s.addresses, 'settings', s.settings) AS store`;

/**
 * What the tools of the vendor, or of the provider, call the parts of a secret; what they have no name for is not
 * there.
 */
export const variablesOf = ({
  at,
  provider,
}: {
  at?: Presenting;
  provider?: Provider | null;
}): Readonly<Record<string, string>> => ({
  ...at?.variables,
  ...(provider && ofProviders[provider]),
});

const aws = {
  accessKey: 'AWS_ACCESS_KEY_ID',
  secretKey: 'AWS_SECRET_ACCESS_KEY',
  assumeRoleArn: 'AWS_ROLE_ARN',
};
const azureAccounts = {
  batchName: 'AZURE_BATCH_ACCOUNT_NAME',
  batchKey: 'AZURE_BATCH_ACCOUNT_KEY',
  storageName: 'AZURE_STORAGE_ACCOUNT_NAME',
  storageKey: 'AZURE_STORAGE_ACCOUNT_KEY',
};
const azurePrincipal = {
  ...azureAccounts,
  tenantId: 'AZURE_TENANT_ID',
  clientId: 'AZURE_CLIENT_ID',
  clientSecret: 'AZURE_CLIENT_SECRET',
};

// Those of the AWS CLI, of Azure's SDKs and Nextflow, of Terraform for Google, and of the clients of Git hosts.
const ofProviders: Partial<Record<Provider, Readonly<Record<string, string>>>> = {
  [Provider.AWS]: aws,
  [Provider.SEQERACOMPUTE]: aws,
  [Provider.S3]: aws,
  [Provider.AZURE]: azureAccounts,
  [Provider.AZURE_ENTRA]: azurePrincipal,
  [Provider.AZURE_CLOUD]: { ...azurePrincipal, subscriptionId: 'AZURE_SUBSCRIPTION_ID' },
  [Provider.GOOGLE]: { data: 'GOOGLE_CREDENTIALS' },
  [Provider.GITHUB]: { token: 'GITHUB_TOKEN' },
  [Provider.GITLAB]: { token: 'GITLAB_TOKEN' },
};

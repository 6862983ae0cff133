import type { KeyProviderSettings } from '../../config/key-providers.js';
import { fileKeys, KeyProviderFault, wrappedBy, type KeyProvider } from '../../keyring/key-provider.js';
import { slowestKeyProviderMs } from '../../config/limits.js';

/** Who may have wrapped a KEK, and who wraps new ones. */
export interface KeyProviders {
  readonly chosen: KeyProvider;
  /** The provider that has made such a text; undefined where no setting says how it is reached. */
  of(text: string): KeyProvider | undefined;
}

/**
 * The providers that are set up. Nobody is called by this, and what is needed to call one is loaded at its first call.
 * A call that has not ended within five seconds is a KeyProviderFault, whatever it waits for.
 */
export function openKeyProviders({ chosen, awsKms, vault }: KeyProviderSettings): KeyProviders {
  const all: KeyProvider[] = [fileKeys];
  if (awsKms)
    all.push(inTime('aws-kms', 'AWS KMS', async () => (await import('./aws-kms.js')).openAwsKms(awsKms)));
  if (vault) all.push(inTime('vault', 'Vault', async () => (await import('./vault.js')).openVault(vault)));
  return {
    chosen: all.find(({ name }) => name === chosen) ?? fileKeys,
    of: (text) => all.find(({ name }) => name === (wrappedBy(text) ?? fileKeys.name)),
  };
}

/** The setting that a provider is reached by. */
export const settingOf = (text: string): string =>
  wrappedBy(text) === 'aws-kms' ? 'KEYWAY_AWS_KMS_KEY' : 'KEYWAY_VAULT_ADDRESS';

function inTime(name: string, title: string, open: () => Promise<KeyProvider>): KeyProvider {
  let opened: Promise<KeyProvider> | undefined;
  const call = <Result>(work: (provider: KeyProvider) => Promise<Result>) =>
    within(title, (opened ??= open()).then(work));
  return {
    name,
    wrap: (id, key) => call((provider) => provider.wrap(id, key)),
    unwrap: (id, text) => call((provider) => provider.unwrap(id, text)),
  };
}

async function within<Result>(title: string, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new KeyProviderFault(title, 'does not answer: see whether it can be reached from here')),
      slowestKeyProviderMs,
    );
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    if (error instanceof KeyProviderFault) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new KeyProviderFault(title, `cannot be asked from here${code === undefined ? '' : ` (${code})`}`);
  } finally {
    clearTimeout(timer);
  }
}

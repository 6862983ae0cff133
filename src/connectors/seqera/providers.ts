import { unsupported } from '../../errors.js';
import { at, textAt } from '../answers.js';
import type { Minted } from '../connector.js';

type Keys = NonNullable<Minted['keys']>;
/** Keys as the platform takes them, by its names for their members. */
export type TheirKeys = Record<string, string | boolean>;

/** A provider by the name that Keyway has for it; undefined for one that came after this list (version 1.187.0). */
export const providerOf = (theirs: string | null): string | undefined =>
  theirs === null ? undefined : ours.get(theirs);

/** A provider by the name that the platform has for it. @throws UNSUPPORTED where it has none. */
export function theirNameOf(provider: string): string {
  const name = theirs.get(provider);
  if (name === undefined) throw unsupported('This store does not know that provider.');
  return name;
}

/**
 * Keys as the platform takes them. What Keyway has as text is true or false there in two places; and for a Git host it
 * no longer takes the form with an access key, which stood for a user name.
 */
export function theirKeysOf(provider: string, keys: Keys): TheirKeys {
  const renamed = gitHosts.has(provider) ? olderNames : undefined;
  return Object.fromEntries(
    keys.map(({ name, value }) => {
      const text = value.expose();
      return [renamed?.get(name) ?? name, flags.has(name) ? text === 'true' : text];
    }),
  );
}

/** A role that is assumed goes on with the external id that the platform made for it once. */
export function withExternalIdOf(entry: unknown, keys: TheirKeys): TheirKeys {
  const externalId = textAt(at(entry, 'keys'), 'externalId');
  const needsIt = 'assumeRoleArn' in keys && !('externalId' in keys) && externalId !== null;
  return needsIt ? { ...keys, externalId } : keys;
}

/** Where a role alone is assumed, the platform is to make an external id, as the vendor's own client asks it to. */
export const externalIdFor = (keys: TheirKeys): Record<string, string> =>
  keys['mode'] === 'role' && !('externalId' in keys) ? { useExternalId: 'true' } : {};

const names = [
  ['AWS', 'aws'],
  ['AZURE', 'azure'],
  ['AZURE_ENTRA', 'azure_entra'],
  ['AZURE_CLOUD', 'azure-cloud'],
  ['GOOGLE', 'google'],
  ['GITHUB', 'github'],
  ['GITHUB_APP', 'github_app'],
  ['GITLAB', 'gitlab'],
  ['BITBUCKET', 'bitbucket'],
  ['GITEA', 'gitea'],
  ['CODECOMMIT', 'codecommit'],
  ['AZUREREPOS', 'azurerepos'],
  ['SSH', 'ssh'],
  ['K8S', 'k8s'],
  ['CONTAINER_REG', 'container-reg'],
  ['TW_AGENT', 'tw-agent'],
  ['SEQERACOMPUTE', 'seqeracompute'],
  ['S3', 's3'],
] as const;

const theirs: ReadonlyMap<string, string> = new Map(names);
const ours: ReadonlyMap<string, string> = new Map(names.map(([own, other]) => [other, own]));
const gitHosts = new Set(['GITHUB', 'GITLAB', 'BITBUCKET', 'GITEA', 'CODECOMMIT', 'AZUREREPOS']);
const olderNames: ReadonlyMap<string, string> = new Map([
  ['accessKey', 'username'],
  ['secretKey', 'password'],
]);
const flags = new Set(['shared', 'pathStyleAccessEnabled']);

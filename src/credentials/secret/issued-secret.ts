import { Arg, Field, ObjectType, registerEnumType } from 'type-graphql';
import { Expects, type Arguments } from '../../inputs/declared.js';
import type { Minted } from '../../connectors/connector.js';
import type { Secret } from '../../secret.js';
import { DateTime, URL } from '../../inputs/scalars.js';
import { badInput } from '../../errors.js';
import type { ExportFormat } from './export-formats.js';
import { expectCarried, expectPrefix, exportLines } from './exports.js';
import type { Provider } from '../record/provider.js';
import { variablesOf, type Presenting } from './presenting.js';

export enum Shell {
  POSIX = 'POSIX',
  FISH = 'FISH',
  POWERSHELL = 'POWERSHELL',
}

registerEnumType(Shell, {
  name: 'Shell',
  description: 'A shell, as `exports` took it before there was `ExportFormat`.',
  valuesConfig: {
    POSIX: { description: 'sh, bash, zsh and similar shells.' },
    FISH: { description: 'The shell fish, which has a syntax of its own.' },
    POWERSHELL: { description: 'PowerShell, on any system.' },
  },
});

/** The same formats, for the graph. */
export const ExportFormats = {
  POSIX: 'POSIX',
  FISH: 'FISH',
  POWERSHELL: 'POWERSHELL',
  DOTENV: 'DOTENV',
  DOCKER_ENV: 'DOCKER_ENV',
  JSON: 'JSON',
  YAML: 'YAML',
  GITHUB_ACTIONS: 'GITHUB_ACTIONS',
} as const satisfies { [Format in ExportFormat]: Format };

registerEnumType(ExportFormats, {
  name: 'ExportFormat',
  description: 'How environment variables are written.',
  valuesConfig: {
    POSIX: { description: 'Commands for sh, bash, zsh, ksh and similar shells.' },
    FISH: { description: 'Commands for fish.' },
    POWERSHELL: { description: 'Commands for PowerShell.' },
    DOTENV: {
      description:
        'Lines of a `.env` file, quoted in a way that its various readers agree on. Some mixtures of quotes and backslashes cannot be written this way.',
    },
    DOCKER_ENV: {
      description: 'Lines of a file for `docker run --env-file`. It cannot hold a value of several lines.',
    },
    JSON: { description: 'A JSON object, with the names of the variables as keys.' },
    YAML: { description: 'A YAML mapping, with the names of the variables as keys.' },
    GITHUB_ACTIONS: {
      description:
        'Lines to append to the file that `GITHUB_ENV` names, in a step of GitHub Actions. They do not mask the values in the log of the job.',
    },
  },
});

export enum ExportNames {
  PREFIX = 'PREFIX',
  VENDOR = 'VENDOR',
}

registerEnumType(ExportNames, {
  name: 'ExportNames',
  description: 'What environment variables are called.',
  valuesConfig: {
    PREFIX: { description: 'The prefix and the name of the part, such as `KEYWAY_ACCESS_KEY`.' },
    VENDOR: {
      description:
        'As the own tools of the vendor or provider call them, such as `AWS_ACCESS_KEY_ID`, with the address if they need one. A part that they have no name for is called as with PREFIX.',
    },
  },
});

@ObjectType({ simpleResolvers: true, description: 'One of the keys of a provider.' })
export class KeyValue {
  @Field(() => String, { description: 'The name of the key, as the provider calls it.' })
  name: string;

  @Field(() => String, { description: 'The value: this is a secret.' })
  value: string;
}

/** What a secret is made of while it is in our hands. */
export interface SecretParts {
  accessKey: string | null;
  secret: Secret | null;
  keys: { name: string; value: Secret }[] | null;
  expiresAt: string | null;
  /** Whose keys they are. */
  provider?: Provider | null;
  /** How it is used at the store that it is of; left out for Keyway's own. */
  at?: Presenting;
}

@ObjectType({
  description: 'A secret. It is shown only in the answer to the mutation that created or revealed it.',
})
export class IssuedSecret {
  readonly #parts: SecretParts;

  constructor(parts: SecretParts) {
    this.#parts = parts;
  }

  @Field(() => String, {
    nullable: true,
    description:
      'The public part: access key, id of the token, or user name; null if the kind has none (PROVIDER_KEYS).',
  })
  accessKey(): string | null {
    return this.#parts.accessKey;
  }

  @Field(() => String, {
    nullable: true,
    description:
      'The secret key, the token or the password. Null for PROVIDER_KEYS, and in a repeated answer that may not show the secret again.',
  })
  secret(): string | null {
    return this.#parts.secret?.expose() ?? null;
  }

  @Field(() => [KeyValue], {
    nullable: true,
    description:
      'The keys of the provider, in no particular order. Null unless the kind is PROVIDER_KEYS, and in a repeated answer that may not show them again.',
  })
  keys(): KeyValue[] | null {
    return this.#parts.keys?.map(({ name, value }) => ({ name, value: value.expose() })) ?? null;
  }

  @Field(() => URL, {
    nullable: true,
    description:
      'The address that it is presented at. Null for the built-in store, where that is not known, and in an answer that does not show the secret.',
  })
  endpoint(): string | null {
    return this.#parts.at?.endpoint ?? null;
  }

  @Field(() => DateTime, {
    nullable: true,
    description:
      'When this secret stops working, in UTC: when its credential expires, or earlier, when its grace period ends. Null if no end is set.',
  })
  expiresAt(): string | null {
    return this.#parts.expiresAt;
  }

  @Field(() => String, {
    nullable: true,
    description:
      'A text that sets environment variables to the parts of the secret, in the format of your choice. Shell commands can be pasted safely, whatever characters the values contain. Null, with an error, if the format cannot hold a value as it is.',
  })
  @Expects((given, _, { input }) => {
    const { prefix, format } = exportOf(given);
    expectPrefix(prefix);
    // What was chosen for the secret is what the text would have to carry.
    expectCarried((input as { secret?: unknown } | undefined)?.secret, 'input.secret', format);
  })
  exports(
    @Arg('prefix', () => String, {
      nullable: true,
      defaultValue: 'KEYWAY',
      description:
        'What the names of the variables start with: 1 to 100 capital letters, digits and underscores, starting with a letter.',
    })
    prefix: string | null,
    @Arg('shell', () => Shell, {
      nullable: true,
      description: 'The shell to write for.',
      deprecationReason: 'Use `format`.',
    })
    shell: Shell | null,
    @Arg('format', () => ExportFormats, {
      nullable: true,
      description: 'How to write it; POSIX, if left out.',
    })
    format: ExportFormat | null,
    @Arg('names', () => ExportNames, {
      nullable: true,
      defaultValue: ExportNames.PREFIX,
      description: 'What to call the variables.',
    })
    names: ExportNames | null,
    @Arg('withoutRegion', () => Boolean, {
      nullable: true,
      defaultValue: false,
      description:
        'Whether to leave out what only names the region of the vendor in front of both halves of a pair, which older signers may not accept.',
    })
    withoutRegion: boolean | null,
  ): string {
    const given = exportOf({ prefix, shell, format });
    const ofVendor = names === ExportNames.VENDOR ? variablesOf(this.#parts) : {};
    return exportLines(this.#entries(ofVendor, withoutRegion ?? false), given.prefix, given.format, ofVendor);
  }

  /** The parts to export; the address among them where the vendor's tools have a name for it. */
  #entries(ofVendor: Readonly<Record<string, string>>, withoutRegion: boolean) {
    const { accessKey, secret, keys, at } = this.#parts;
    const bare = (half: string) => (withoutRegion ? (at?.withoutRegion?.(half) ?? half) : half);
    const endpoint = 'endpoint' in ofVendor ? this.endpoint() : null;
    return [
      ...(endpoint === null ? [] : [{ name: 'endpoint', value: endpoint }]),
      ...(accessKey === null ? [] : [{ name: 'accessKey', value: bare(accessKey) }]),
      ...(secret === null ? [] : [{ name: 'secret', value: bare(secret.expose()) }]),
      ...(keys ?? []).map(({ name, value }) => ({ name, value: value.expose() })),
    ];
  }
}

/** @throws BAD_USER_INPUT where a shell is given beside a format. */
function exportOf({ prefix, shell, format }: Arguments): { prefix: string; format: ExportFormat } {
  if (shell && format) throw badInput('shell', 'must be left out where a format is given');
  return {
    prefix: (prefix as string | null | undefined) ?? 'KEYWAY',
    format: ((format ?? shell) as ExportFormat | null | undefined) ?? 'POSIX',
  };
}

/** What is shown of a secret that was made: all but how it is verified. */
export const partsOf = (
  { accessKey, secret, keys }: Minted,
  { expiresAt, provider }: Pick<SecretParts, 'expiresAt' | 'provider'>,
): SecretParts => ({ accessKey, secret, keys, expiresAt, provider: provider ?? null });

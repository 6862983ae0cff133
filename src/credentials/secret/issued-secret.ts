import { Arg, Field, ObjectType, registerEnumType } from 'type-graphql';
import { Expects } from '../../inputs/declared.js';
import type { Minted } from '../../connectors/connector.js';
import type { Secret } from '../../secret.js';
import { DateTime, URL } from '../../inputs/scalars.js';
import { expectCarried, expectPrefix, exportLines } from './exports.js';

export enum Shell {
  POSIX = 'POSIX',
  FISH = 'FISH',
  POWERSHELL = 'POWERSHELL',
}

registerEnumType(Shell, {
  name: 'Shell',
  description: 'The shell that the lines are written for.',
  valuesConfig: {
    POSIX: { description: 'sh, bash, zsh and similar shells.' },
    FISH: { description: 'fish.' },
    POWERSHELL: { description: 'PowerShell.' },
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
  /** The address of the store that it is presented at; none for Keyway's own. */
  endpoint?: string | null;
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
      'The address of the outside store that it is used at. Null for the built-in store, and in an answer that does not show the secret.',
  })
  endpoint(): string | null {
    return this.#parts.endpoint ?? null;
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
    description:
      'Shell commands that set environment variables to the parts of the secret. They can be pasted safely, whatever characters the values contain.',
  })
  @Expects(({ prefix }, _, { input }) => {
    expectPrefix((prefix as string | null) ?? 'KEYWAY');
    // What was chosen for the secret is what the lines would have to carry.
    expectCarried((input as { secret?: unknown } | undefined)?.secret, 'input.secret');
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
      defaultValue: Shell.POSIX,
      description: 'The shell to write for.',
    })
    shell: Shell | null,
  ): string {
    const { accessKey, secret, keys } = this.#parts;
    const entries = [
      ...(accessKey === null ? [] : [{ name: 'accessKey', value: accessKey }]),
      ...(secret === null ? [] : [{ name: 'secret', value: secret.expose() }]),
      ...(keys ?? []).map(({ name, value }) => ({ name, value: value.expose() })),
    ];
    return exportLines(entries, prefix ?? 'KEYWAY', shell ?? Shell.POSIX);
  }
}

/** What is shown of a secret that was made: all but how it is verified. */
export const partsOf = ({ accessKey, secret, keys }: Minted, expiresAt: string | null): SecretParts => ({
  accessKey,
  secret,
  keys,
  expiresAt,
});

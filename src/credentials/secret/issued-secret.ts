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

registerEnumType(Shell, { name: 'Shell', description: 'Whose quoting the lines are written for.' });

@ObjectType({ simpleResolvers: true })
export class KeyValue {
  @Field(() => String)
  name: string;

  @Field(() => String)
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
  description:
    'A secret, shown in the answer to the mutation that made it (or that revealed it), and nowhere else.',
})
export class IssuedSecret {
  readonly #parts: SecretParts;

  constructor(parts: SecretParts) {
    this.#parts = parts;
  }

  @Field(() => String, { nullable: true })
  accessKey(): string | null {
    return this.#parts.accessKey;
  }

  @Field(() => String, { nullable: true, description: 'Secret key, token or password.' })
  secret(): string | null {
    return this.#parts.secret?.expose() ?? null;
  }

  @Field(() => [KeyValue], {
    nullable: true,
    description: "The provider's keys, as name and value; only for PROVIDER_KEYS.",
  })
  keys(): KeyValue[] | null {
    return this.#parts.keys?.map(({ name, value }) => ({ name, value: value.expose() })) ?? null;
  }

  @Field(() => URL, { nullable: true, description: 'Where it is presented; null for the built-in store.' })
  endpoint(): string | null {
    return this.#parts.endpoint ?? null;
  }

  @Field(() => DateTime, {
    nullable: true,
    description:
      'When it stops working: with its credential, or, replaced by another, after its grace period.',
  })
  expiresAt(): string | null {
    return this.#parts.expiresAt;
  }

  @Field(() => String, {
    description:
      'Shell lines that set the secret in the environment: safe to paste, whatever the values hold.',
  })
  @Expects(({ prefix }, _, { input }) => {
    expectPrefix((prefix as string | null) ?? 'KEYWAY');
    // What was chosen for the secret is what the lines would have to carry.
    expectCarried((input as { secret?: unknown } | undefined)?.secret, 'input.secret');
  })
  exports(
    @Arg('prefix', () => String, { nullable: true, defaultValue: 'KEYWAY' }) prefix: string | null,
    @Arg('shell', () => Shell, { nullable: true, defaultValue: Shell.POSIX }) shell: Shell | null,
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

import { Field, ObjectType, registerEnumType } from 'type-graphql';
import { NonNegativeInt } from '../inputs/scalars.js';

export enum KeyringKeyKind {
  KEK = 'KEK',
  VERIFIER = 'VERIFIER',
  PEPPER = 'PEPPER',
  AUDIT = 'AUDIT',
}

registerEnumType(KeyringKeyKind, {
  name: 'KeyringKeyKind',
  description: 'What keys of Keyway are for.',
  valuesConfig: {
    KEK: { description: 'Sealing secrets that can be shown again.' },
    VERIFIER: { description: 'Verifying secrets that Keyway has made.' },
    PEPPER: { description: 'Verifying passwords.' },
    AUDIT: { description: 'Chaining the audit log.' },
  },
});

@ObjectType({
  simpleResolvers: true,
  description:
    'One of the keys that Keyway itself seals and verifies with: what it is called, never the key.',
})
export class KeyringKey {
  @Field(() => KeyringKeyKind, { description: 'What it is for.' })
  kind: KeyringKeyKind;

  @Field(() => String, { description: 'What it is called among the keys of its kind, such as `k2`.' })
  id: string;

  @Field(() => Boolean, { description: 'Whether it is the one that is used now for what is new.' })
  current: boolean;

  @Field(() => NonNegativeInt, {
    nullable: true,
    description:
      'Of an older key, how many records still name it: at 0 it can be retired. Null for the current key, for one that is not current yet, and for AUDIT, whose keys stay for as long as their events.',
  })
  left: number | null;
}

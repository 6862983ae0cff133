import type { CredentialKind, NewSecretInput } from '../graph/documents.ts';
import { forms } from '../graph/forms.ts';
import type { Faults } from '../parts/form/faults.ts';
import { Fields } from '../parts/form/fields.tsx';
import { inputOf, type Filled } from '../parts/form/input.ts';

/** Where the secret of each kind stands in what is asked, and what is asked of it. */
const members: Readonly<Record<CredentialKind, readonly [string, string]>> = {
  ACCESS_KEY: ['accessKey', 'AccessKeyInput'],
  TOKEN: ['token', 'TokenInput'],
  PASSWORD: ['password', 'PasswordInput'],
  PROVIDER_KEYS: ['providerKeys', 'ProviderKeysInput'],
};

interface Props {
  kind: CredentialKind;
  faults: Faults;
  /** Which provider the keys are of, where that is known. */
  provider?: string | null;
}

/** What a new secret of a kind is asked for. */
export function SecretFields({ kind, faults, provider }: Props) {
  const [member, form] = members[kind];
  return (
    <Fields
      key={kind}
      forms={forms}
      form={form}
      path={`input.secret.${member}`}
      faults={faults}
      chosen={provider ?? undefined}
    />
  );
}

/** @returns the new secret that was filled in. */
export function secretOf(kind: CredentialKind, filled: Filled): NewSecretInput {
  const [member, form] = members[kind];
  const given = inputOf(forms, form, filled, `input.secret.${member}`) ?? {};
  return { [member]: given } as unknown as NewSecretInput;
}

import { useEffect, useState, type FormEvent } from 'react';
import { Button, Form } from 'react-aria-components';
import { useQuery } from 'urql';
import { Link, useLocation } from 'wouter';
import { useChange } from '../graph/changes.ts';
import {
  CreatableStoresDocument,
  CreateCredentialDocument,
  StoreScopesDocument,
  type CreateCredentialInput,
  type CreatableStoresQuery,
  type CredentialKind,
  type IssuedFragment,
  type StoreSettable,
} from '../graph/documents.ts';
import { forms } from '../graph/forms.ts';
import { Choice } from '../parts/choice.tsx';
import { Empty } from '../parts/empty.tsx';
import { Fields } from '../parts/form/fields.tsx';
import { useFaults } from '../parts/form/faults.ts';
import { inputOf, textOf } from '../parts/form/input.ts';
import { Lookup, Lookups } from '../parts/form/lookup.tsx';
import { Heading } from '../parts/heading.tsx';
import { Problem } from '../parts/problem.tsx';
import { SecretDialog } from '../parts/secret.tsx';
import { useSession } from '../session/session.tsx';
import { texts } from '../texts.ts';
import { SecondFactor } from './second-factor.tsx';
import { secretOf, SecretFields } from './secret-fields.tsx';

type CreatableStore = CreatableStoresQuery['stores'][number];

const usual = ['description', 'project', 'owner', 'expiresAt', 'retrievable', 'rotationPolicy'];
/** What only Keyway's own store knows. */
const ownAlone = new Set(['retrievable', 'rateLimit', 'remainingUses']);
/** What some stores cannot keep to, by its name in the form. */
const settable: Readonly<Record<string, StoreSettable>> = {
  allowedIps: 'ALLOWED_IPS',
  baseUrl: 'BASE_URL',
  enabled: 'ENABLED',
  expiresAt: 'EXPIRES_AT',
};
/** Of the person who uses it: some stores want to know. */
const person = ['fullName', 'email'];
const elsewhere = new Set([...usual, ...person, 'name', 'roles', 'scope']);
const others = Object.keys(forms['CreateCredentialInput']?.fields ?? {}).filter(
  (name) => !elsewhere.has(name),
);

/** Creates a credential in one of the stores: what is asked follows from the store and the kind. */
export default function CreatePage() {
  const [{ data, error }, again] = useQuery({ query: CreatableStoresDocument });
  const { may } = useSession();
  const stores = may.has('CREDENTIAL_CREATE')
    ? (data?.stores ?? []).filter(({ creates }) => creates.length > 0)
    : [];
  return (
    <>
      <Link href="/credentials" className="back">
        ← {texts.back}
      </Link>
      <header className="view">
        <Heading title={texts.create.title} />
      </header>
      {error && <Problem error={error} retry={again} />}
      {data && (stores.length > 0 ? <CreateForm stores={stores} /> : <Empty {...texts.create.nowhere} />)}
    </>
  );
}

function CreateForm({ stores }: { stores: readonly CreatableStore[] }) {
  const [, navigate] = useLocation();
  const [storeId, setStore] = useState(
    (stores.find(({ kind }) => kind === 'BUILT_IN') ?? stores[0])?.id ?? '',
  );
  const store = stores.find(({ id }) => id === storeId);
  const [wanted, setKind] = useState<CredentialKind>('ACCESS_KEY');
  const kind = store?.creates.includes(wanted) ? wanted : (store?.creates[0] ?? wanted);
  const [{ fetching, error }, create] = useChange(CreateCredentialDocument);
  const [made, setMade] = useState<{ id: string; name: string; issued: IssuedFragment }>();
  const faults = useFaults(error);
  const [isOpen, setOpen] = useState(false);
  // What is wrong must be seen.
  useEffect(() => {
    if (others.some((name) => Object.keys(faults).some((path) => path.startsWith(`input.${name}`))))
      setOpen(true);
  }, [faults]);
  const isOutside = store?.kind !== 'BUILT_IN';
  /** Whether the outside store takes it: the others would be refused. */
  const isTaken = (name: string) => {
    const what = settable[name];
    return !ownAlone.has(name) && (what === undefined || store?.settable.includes(what) === true);
  };

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const filled = new FormData(event.currentTarget);
    const asked = {
      ...(inputOf(forms, 'CreateCredentialInput', filled, 'input') as Pick<CreateCredentialInput, 'name'>),
      account: textOf(filled, 'input.account') ?? '',
      secret: secretOf(kind, filled),
      ...(isOutside && { store: storeId }),
    };
    const { data } = await create(asked, textOf(filled, 'mfaCode'));
    if (!data) return;
    const { credential, issued } = data.createCredential;
    if (issued) setMade({ id: credential.id, name: credential.name, issued });
    else navigate(`/credentials/${credential.id}`);
  };

  return (
    <Form className="card form" validationErrors={faults} onSubmit={(event) => void submit(event)}>
      <Choice
        label={texts.create.store}
        choices={Object.fromEntries(
          stores.map(({ id, name, kind }) => [id, `${name} · ${texts.storeKind[kind]}`]),
        )}
        value={storeId}
        choose={setStore}
      />
      <Choice
        label={texts.create.kind}
        choices={Object.fromEntries((store?.creates ?? []).map((one) => [one, texts.kind[one]]))}
        value={kind}
        choose={(one) => setKind(one as CredentialKind)}
      />
      <Lookup
        label={texts.create.account}
        path="input.account"
        of="Account"
        key={store?.account?.id}
        initial={store?.account}
        isRequired
        fault={faults['input.account']}
        choosable={({ viewerMay }) => viewerMay?.includes('CREDENTIAL_CREATE') ?? false}
        about={<p className="hint">{texts.create.accountHelp}</p>}
      />
      {isOutside && <Scope key={storeId} store={storeId} />}
      <Fields forms={forms} form="CreateCredentialInput" path="input" only={['name']} faults={faults} />
      {/* A store makes the pairs of its own, as it likes. */}
      {!(isOutside && kind === 'ACCESS_KEY') && (
        <fieldset>
          <legend>{texts.kind[kind]}</legend>
          <SecretFields kind={kind} faults={faults} />
        </fieldset>
      )}
      <Fields
        forms={forms}
        form="CreateCredentialInput"
        path="input"
        only={isOutside ? [...person, ...usual].filter(isTaken) : usual}
        faults={faults}
      />
      <Lookups
        label={texts.create.roles}
        path="input.roles"
        of="Role"
        choosable={(role) => (role.store?.id ?? '') === (isOutside ? storeId : '')}
      />
      <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>{texts.create.more}</summary>
        <Fields
          forms={forms}
          form="CreateCredentialInput"
          path="input"
          only={isOutside ? others.filter(isTaken) : [...person, ...others]}
          faults={faults}
        />
      </details>
      <SecondFactor error={error} />
      <div className="buttons">
        <Button type="submit" className="primary" isDisabled={fetching}>
          {fetching ? texts.actions.working : texts.create.submit}
        </Button>
      </div>
      {made && (
        <SecretDialog
          title={texts.create.done}
          name={made.name}
          issued={made.issued}
          close={() => navigate(`/credentials/${made.id}`)}
        />
      )}
    </Form>
  );
}

/** Where in its store: one of what the store has, as far as the viewer is told. */
function Scope({ store }: { store: string }) {
  const [{ data }] = useQuery({ query: StoreScopesDocument, variables: { id: store } });
  const scopes = data?.node && 'scopes' in data.node ? (data.node.scopes ?? []) : [];
  if (scopes.length === 0)
    return <Fields forms={forms} form="CreateCredentialInput" path="input" only={['scope']} faults={{}} />;
  return (
    <Choice
      label={texts.credential.labels.scope}
      name="input.scope"
      any
      choices={Object.fromEntries(scopes.map(({ id, name }) => [id, name === id ? id : `${name} (${id})`]))}
      value={scopes.length === 1 ? (scopes[0]?.id ?? '') : ''}
    />
  );
}

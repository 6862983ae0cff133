import { useState, type FormEvent } from 'react';
import { Button, FieldError, Form, Input, Label, TextField } from 'react-aria-components';
import { Link, useLocation } from 'wouter';
import { useChange } from '../graph/changes.ts';
import { CreateStoreDocument, type CreateStoreInput } from '../graph/documents.ts';
import { forms } from '../graph/forms.ts';
import { Choice } from '../parts/choice.tsx';
import { Empty } from '../parts/empty.tsx';
import { Fields } from '../parts/form/fields.tsx';
import { useFaults } from '../parts/form/faults.ts';
import { inputOf, textOf } from '../parts/form/input.ts';
import { Lookup } from '../parts/form/lookup.tsx';
import { Heading } from '../parts/heading.tsx';
import { Problem } from '../parts/problem.tsx';
import { useSession } from '../session/session.tsx';
import { texts } from '../texts.ts';

/** The kinds of stores that there are, by what the connection asks for. */
const members = Object.entries(forms['StoreConnectionInput']?.fields ?? {}).flatMap(([member, field]) =>
  field.is === 'group' ? [{ member, form: field.form, kind: member.toUpperCase() }] : [],
);

const kindWords = (kind: string) => texts.storeKind[kind as keyof typeof texts.storeKind] ?? kind;

/** Connects a store: what its vendor asks for, tried before anything is kept. */
export default function ConnectPage() {
  const { may } = useSession();
  const [, navigate] = useLocation();
  const [chosen, choose] = useState(members[0]?.member ?? '');
  const [{ fetching, error }, create] = useChange(CreateStoreDocument);
  const faults = useFaults(error);
  const vendor = members.find(({ member }) => member === chosen);
  const about = texts.connect.vendors[chosen as keyof typeof texts.connect.vendors];

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const filled = new FormData(event.currentTarget);
    const path = `input.connection.${chosen}`;
    const connection = vendor && inputOf(forms, vendor.form, filled, path);
    const input = {
      name: textOf(filled, 'input.name') ?? '',
      account: textOf(filled, 'input.account'),
      connection: { [chosen]: connection ?? {} } as unknown as CreateStoreInput['connection'],
    };
    const { data } = await create(input);
    if (data) navigate('/stores');
  };

  if (!may.has('STORE_MANAGE')) return <Empty {...texts.connect.mayNot} />;
  return (
    <>
      <Link href="/stores" className="back">
        ← {texts.stores.title}
      </Link>
      <header className="view">
        <Heading title={texts.connect.title} />
      </header>
      <Form className="card form" validationErrors={faults} onSubmit={(event) => void submit(event)}>
        <Choice
          label={texts.connect.system}
          choices={Object.fromEntries(members.map(({ member, kind }) => [member, kindWords(kind)]))}
          value={chosen}
          choose={choose}
        />
        {about && (
          <p>
            {about.needs}{' '}
            <a href={about.page} target="_blank" rel="noreferrer">
              {texts.connect.page}
            </a>
          </p>
        )}
        <TextField name="input.name" isRequired maxLength={64}>
          <Label>{texts.connect.name}</Label>
          <Input spellCheck="false" autoComplete="off" />
          <span className="hint">{texts.connect.nameHelp}</span>
          <FieldError />
        </TextField>
        <Lookup
          label={texts.connect.account}
          path="input.account"
          of="Account"
          choosable={({ viewerMay }) => viewerMay?.includes('STORE_MANAGE') ?? false}
          about={<p className="hint">{texts.connect.accountHelp}</p>}
        />
        {vendor && (
          <Fields
            key={chosen}
            forms={forms}
            form={vendor.form}
            path={`input.connection.${chosen}`}
            faults={faults}
          />
        )}
        <p className="hint">{texts.connect.tried}</p>
        {error && <Problem error={error} />}
        <div className="buttons">
          <Button type="submit" className="primary" isDisabled={fetching}>
            {fetching ? texts.connect.trying : texts.connect.submit}
          </Button>
        </div>
      </Form>
    </>
  );
}

import { useState } from 'react';
import { Button, Checkbox, Input, Label, SearchField } from 'react-aria-components';
import { useQuery } from 'urql';
import { NamesDocument, StoreNamesDocument } from '../graph/documents.ts';
import { Choice } from '../parts/choice.tsx';
import type { Looked } from '../parts/form/input.ts';
import { LookFor } from '../parts/form/look-for.tsx';
import { Typed } from '../parts/typed.tsx';
import { texts } from '../texts.ts';
import { filterFields, listIn, setFilters, withFilter, type FilterField } from './filters.ts';

interface Props {
  address: URLSearchParams;
  go: (address: URLSearchParams) => void;
}

/** Every filter of the graph: the usual ones beside the search, the others behind a button, what is set as a list. */
export function FilterBar({ address, go }: Props) {
  const [isOpen, setOpen] = useState(false);
  const [{ data }] = useQuery({ query: StoreNamesDocument });
  const stores = Object.fromEntries((data?.stores ?? []).map(({ id, name }) => [id, name]));
  const named = useNamed(address);
  const valuesOf = (field: FilterField) =>
    field.name === 'store' ? stores : lookedFor(field) ? named : 'values' in field ? field.values : undefined;
  const set = (name: string, value: string | undefined) => go(withFilter(address, name, value));
  const usual = filterFields.filter(({ name }) => ['status', 'kind', 'store'].includes(name));
  const others = filterFields.filter((field) => field.name !== 'search' && !usual.includes(field));

  return (
    <section aria-label={texts.filters.label} className="filters">
      <div className="bar">
        <Search text={address.get('search') ?? ''} search={(text) => set('search', text)} />
        {usual.map((field) => (
          <Field key={field.name} field={field} values={valuesOf(field)} address={address} set={set} />
        ))}
        <Button aria-expanded={isOpen} aria-controls="more-filters" onPress={() => setOpen(!isOpen)}>
          {texts.filters.add}
        </Button>
      </div>
      <div id="more-filters" className="more" hidden={!isOpen}>
        {others.map((field) => (
          <Field key={field.name} field={field} values={valuesOf(field)} address={address} set={set} />
        ))}
      </div>
      <ul className="chips">
        {setFilters(address).map(({ field, text }) => (
          <li key={field.name}>
            {texts.filters.fields[field.name]}: {wordsOf(text, field, valuesOf(field))}
            <Button
              aria-label={texts.filters.remove(texts.filters.fields[field.name])}
              onPress={() => set(field.name, undefined)}
            >
              ×
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

interface FieldProps {
  field: FilterField;
  values: Readonly<Record<string, string>> | undefined;
  address: URLSearchParams;
  set: (name: string, value: string | undefined) => void;
}

function Field({ field, values, address, set }: FieldProps) {
  const { name } = field;
  const label = texts.filters.fields[name];
  const value = address.get(name) ?? '';
  if (field.type === 'flag')
    return (
      <Checkbox isSelected={value === 'true'} onChange={(isOn) => set(name, isOn ? 'true' : undefined)}>
        <span className="box" aria-hidden="true" />
        {label}
      </Checkbox>
    );
  const of = lookedFor(field);
  if (of)
    return (
      <LookedFor
        label={label}
        of={of}
        words={value === '' ? '' : wordsOf(value, field, values)}
        set={(id) => set(name, id)}
      />
    );
  if (values)
    // Several of a list can stand in an address; chosen is one.
    return (
      <Choice
        label={label}
        any
        choices={
          value === '' || value in values ? values : { ...values, [value]: wordsOf(value, field, values) }
        }
        value={value}
        choose={(text) => set(name, text)}
      />
    );
  return (
    <Typed
      label={label}
      type={field.type === 'day' ? 'date' : 'text'}
      value={value}
      set={(text) => set(name, text)}
    />
  );
}

function Search({ text, search }: { text: string; search: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  const [shown, setShown] = useState(text);
  if (shown !== text) {
    setShown(text);
    setTyped(text);
  }
  return (
    <SearchField
      className="search"
      value={typed}
      onChange={setTyped}
      onSubmit={search}
      onClear={() => search('')}
    >
      <Label>{texts.filters.fields.search}</Label>
      <Input placeholder={texts.filters.search} onBlur={() => typed !== text && search(typed)} />
    </SearchField>
  );
}

/** What is too much for a list to choose from, and is looked for. */
const lookedFor = ({ name }: FilterField): Looked | undefined =>
  (
    ({
      project: 'Project',
      account: 'Account',
      owner: 'Account',
      createdBy: 'Account',
      role: 'Role',
    }) as const
  )[name as 'project'];

interface LookedForProps {
  label: string;
  of: Looked;
  /** Of what is chosen. */
  words: string;
  set: (id: string | undefined) => void;
}

/** It counts once one is chosen; what was typed without choosing is gone when the field is left. */
function LookedFor({ label, of, words, set }: LookedForProps) {
  // As long as one is in it, it has what was typed: a text that changes by itself would open the choices again.
  const [typed, setTyped] = useState<{ text: string; isChosen: boolean }>();
  return (
    <LookFor
      label={label}
      of={of}
      typed={typed?.text ?? words}
      isChosen={typed?.isChosen ?? true}
      type={(text, id) => {
        setTyped({ text, isChosen: text === '' || id !== '' });
        if (text === '' || id !== '') set(id);
      }}
      leave={() => setTyped(undefined)}
    />
  );
}

/** What the ids in an address are called, as far as the viewer may see it. */
function useNamed(address: URLSearchParams): Readonly<Record<string, string>> {
  const ids = filterFields
    .filter(lookedFor)
    .flatMap(({ name }) => listIn(address.get(name) ?? ''))
    .slice(0, 100);
  const [{ data }] = useQuery({ query: NamesDocument, variables: { ids }, pause: ids.length === 0 });
  const nodes = ids.length === 0 ? [] : (data?.nodes ?? []);
  return Object.fromEntries(
    nodes.flatMap((node) =>
      node && 'title' in node
        ? [[node.id, node.title]]
        : node && 'name' in node
          ? [[node.id, node.name]]
          : [],
    ),
  );
}

function wordsOf(text: string, field: FilterField, values: FieldProps['values']): string {
  if (field.type === 'flag') return texts.yes;
  return text
    .split(',')
    .map((one) => values?.[one] ?? one)
    .join(', ');
}

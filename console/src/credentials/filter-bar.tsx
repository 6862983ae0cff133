import { useState } from 'react';
import { Button, Checkbox, Input, Label, SearchField } from 'react-aria-components';
import { useQuery } from 'urql';
import { FilterChoicesDocument } from '../graph/documents.ts';
import { Choice } from '../parts/choice.tsx';
import { Typed } from '../parts/typed.tsx';
import { texts } from '../texts.ts';
import { filterFields, setFilters, withFilter, type FilterField } from './filters.ts';

interface Props {
  address: URLSearchParams;
  go: (address: URLSearchParams) => void;
}

/** Every filter of the graph: the usual ones beside the search, the others behind a button, what is set as a list. */
export function FilterBar({ address, go }: Props) {
  const [{ data }] = useQuery({ query: FilterChoicesDocument });
  const [isOpen, setOpen] = useState(false);
  const named = {
    store: byId(data?.stores),
    project: byId(data?.projects.nodes),
    account: byId(data?.accounts.nodes),
    owner: byId(data?.accounts.nodes),
    createdBy: byId(data?.accounts.nodes),
  };
  const valuesOf = (field: FilterField) =>
    field.name in named
      ? named[field.name as keyof typeof named]
      : 'values' in field
        ? field.values
        : undefined;
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

const byId = (
  things: readonly { id: string; name: string; title?: string }[] | undefined,
): Record<string, string> =>
  Object.fromEntries((things ?? []).map(({ id, name, title }) => [id, title ?? name]));

function wordsOf(text: string, field: FilterField, values: FieldProps['values']): string {
  if (field.type === 'flag') return texts.yes;
  return text
    .split(',')
    .map((one) => values?.[one] ?? one)
    .join(', ');
}

import { useState, type ReactNode } from 'react';
import {
  Checkbox,
  CheckboxGroup,
  FieldError,
  Input,
  Label,
  NumberField,
  Text,
  TextArea,
  TextField,
} from 'react-aria-components';
import { texts } from '../../texts.ts';
import { Choice } from '../choice.tsx';
import type { Faults } from './faults.ts';
import { Fault } from './fault.tsx';
import { unitPath, wordsOf, type FormField, type InputForms } from './input.ts';
import { Lookup, Lookups } from './lookup.tsx';

interface Props {
  forms: InputForms;
  form: string;
  /** Where the form stands in what is asked: `input.secret`. */
  path: string;
  faults: Faults;
  /** Some of its fields, in this order; all of them, the needed ones first, where left out. */
  only?: readonly string[];
  /** Of a form of which one field is given, which that is, however it is written; it is asked, where left out. */
  chosen?: string | undefined;
  /** Whether all of it may be left empty, also what is needed where something of it is given: Keyway says what is missing. */
  isOptional?: boolean;
}

/** The fields of an input of the graph: what each is for, in the graph's words, and what was wrong with it. */
export function Fields({ forms, form: name, path, faults, only, chosen, isOptional = false }: Props) {
  const form = forms[name];
  if (!form) return null;
  if (form.oneOf) return <OneOf forms={forms} form={name} path={path} faults={faults} chosen={chosen} />;
  const entries = Object.entries(form.fields);
  const shown = only
    ? only.flatMap((key) => entries.filter(([field]) => field === key))
    : [...entries.filter(([, { required }]) => required), ...entries.filter(([, { required }]) => !required)];
  return (
    <>
      {shown.map(([key, field]) => (
        <Field
          key={key}
          forms={forms}
          name={key}
          field={field}
          path={`${path}.${key}`}
          faults={faults}
          isOptional={isOptional}
        />
      ))}
    </>
  );
}

/** One of several ways: which is chosen, and its fields. */
function OneOf({ forms, form: name, path, faults, chosen: known }: Props) {
  const fields = forms[name]?.fields ?? {};
  const keys = Object.keys(fields);
  const [chosen, choose] = useState(keys.find((key) => bare(key) === bare(known ?? '')) ?? keys[0] ?? '');
  const field = fields[chosen];
  return (
    <>
      <input type="hidden" name={path} value={chosen} />
      {known === undefined && (
        <Choice
          label={texts.form.which}
          choices={Object.fromEntries(
            Object.entries(fields).map(([key, { help }]) => [key, titleOf(key, help)]),
          )}
          value={chosen}
          choose={choose}
        />
      )}
      {field?.is === 'group' && (
        <Fields key={chosen} forms={forms} form={field.form} path={`${path}.${chosen}`} faults={faults} />
      )}
    </>
  );
}

const bare = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '');

/** The sentence of the graph where it is short, as `Amazon Web Services`. */
const titleOf = (key: string, help: string) => (help.length <= 60 ? help.replace(/\.$/, '') : wordsOf(key));

interface FieldProps extends Omit<Props, 'form' | 'only' | 'chosen'> {
  name: string;
  field: FormField;
}

function Field({ forms, name, field, path, faults, isOptional }: FieldProps) {
  const label = texts.form.labels[name as keyof typeof texts.form.labels] ?? wordsOf(name);
  const isRequired = field.required && !isOptional;
  const shared = { name: path, isRequired };
  const about = (
    <>
      <Help text={field.help} />
      <FieldError />
    </>
  );
  switch (field.is) {
    case 'group':
      return (
        <fieldset>
          <legend>{label}</legend>
          <Help text={field.help} />
          <Fields forms={forms} form={field.form} path={path} faults={faults} isOptional={!isRequired} />
        </fieldset>
      );
    case 'flag':
      return (
        <div className="flag">
          <Checkbox name={path} value="true" defaultSelected={field.value ?? false}>
            <span className="box" aria-hidden="true" />
            {label}
          </Checkbox>
          <Help text={field.help} plain />
          <Fault text={faults[path]} />
        </div>
      );
    case 'choice':
      return (
        <div>
          <Choice
            label={label}
            name={path}
            any={!field.required && field.value === undefined}
            choices={Object.fromEntries(Object.keys(field.values).map((value) => [value, value]))}
            value={field.value ?? ''}
          />
          <Help text={field.help} plain />
        </div>
      );
    case 'choices':
      return (
        <CheckboxGroup {...shared} className="group">
          <Label>{label}</Label>
          <div className="options">
            {Object.entries(field.values).map(([value, help]) => (
              <Checkbox key={value} value={value} aria-description={help}>
                <span className="box" aria-hidden="true" />
                {value}
              </Checkbox>
            ))}
          </div>
          {about}
        </CheckboxGroup>
      );
    case 'lookup':
      return (
        <Lookup
          label={label}
          path={path}
          of={field.of}
          about={<Help text={field.help} />}
          fault={faults[path]}
          isRequired={isRequired}
        />
      );
    case 'lookups':
      return <Lookups label={label} path={path} of={field.of} about={<Help text={field.help} />} />;
    case 'number':
      return (
        <NumberField {...shared} defaultValue={field.value} formatOptions={{ useGrouping: false }}>
          <Label>{label}</Label>
          <Input />
          {about}
        </NumberField>
      );
    case 'duration':
      return (
        <NumberField {...shared} minValue={0} step={1} formatOptions={{ useGrouping: false }}>
          <Label>{label}</Label>
          <div className="lookup">
            <Input />
            <Choice label={texts.form.unit} name={unitPath(path)} choices={texts.form.units} value="days" />
          </div>
          <Help text={field.help.replace(iso, '')} />
          <FieldError />
        </NumberField>
      );
    case 'lines':
      return (
        <TextField {...shared} defaultValue={(field.value ?? []).join('\n')}>
          <Label>
            {label} {texts.form.onePerLine}
          </Label>
          <TextArea className="react-aria-Input" rows={2} spellCheck="false" />
          {about}
        </TextField>
      );
    case 'time':
      return (
        <TextField {...shared}>
          <Label>{label}</Label>
          <Input type="datetime-local" max="9999-12-31T23:59" />
          {about}
        </TextField>
      );
    case 'text':
      return (
        <TextField
          {...shared}
          defaultValue={field.value}
          type={field.secret && !field.long ? 'password' : 'text'}
          autoComplete={field.secret ? 'new-password' : 'off'}
        >
          <Label>{label}</Label>
          {field.long ? (
            <TextArea
              className={`react-aria-Input${field.secret ? ' covered' : ''}`}
              rows={3}
              spellCheck="false"
            />
          ) : (
            <Input spellCheck="false" />
          )}
          {about}
        </TextField>
      );
  }
}

/** What the graph says of how a length of time is written: here nobody has to. */
const iso = /,? as an ISO 8601 duration/;

/** The graph's words, with what it writes in backticks as code. */
function Help({ text, plain = false }: { text: string; plain?: boolean }) {
  const parts: ReactNode[] = text
    .split('`')
    .map((part, at) => (at % 2 === 1 ? <code key={at}>{part}</code> : part));
  return plain ? <span className="hint">{parts}</span> : <Text slot="description">{parts}</Text>;
}

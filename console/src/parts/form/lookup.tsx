import { useState, type ReactNode } from 'react';
import { Checkbox, CheckboxGroup, FieldError, Input, Label, TextField } from 'react-aria-components';
import { texts } from '../../texts.ts';
import { Fault } from './fault.tsx';
import type { Looked } from './input.ts';
import { LookFor, mostFound, useFound, wordsOf, type Found } from './look-for.tsx';

interface Props {
  label: string;
  path: string;
  of: Looked;
  about?: ReactNode;
  fault?: string | undefined;
  isRequired?: boolean;
  /** Which of what is found may be chosen; all, where left out. */
  choosable?: (found: Found) => boolean;
  /** What is chosen at first. */
  initial?: Found | null | undefined;
}

/** One that is there, as a field of a form. */
export function Lookup({ label, path, of, about, fault, isRequired = false, choosable, initial }: Props) {
  const [typed, setTyped] = useState(initial ? wordsOf(initial) : '');
  const [id, setId] = useState(initial?.id ?? '');
  return (
    <LookFor
      label={label}
      of={of}
      typed={typed}
      isChosen={id !== ''}
      type={(text, meant) => {
        setTyped(text);
        setId(meant);
      }}
      choosable={choosable}
      isRequired={isRequired}
    >
      <input type="hidden" name={path} value={id} />
      {about}
      <FieldError />
      <Fault text={fault} />
    </LookFor>
  );
}

/** Several of what is there; where that is much, it is looked for by a part of the name, and what is chosen stays. */
export function Lookups({
  label,
  path,
  of,
  about,
  choosable,
}: Omit<Props, 'isRequired' | 'initial' | 'fault'>) {
  const [search, setSearch] = useState('');
  const [chosen, setChosen] = useState<readonly Found[]>([]);
  const isMuch = useFound(of, '').length >= mostFound;
  const found = useFound(of, search).filter((one) => choosable?.(one) ?? true);
  const offered = [...chosen, ...found.filter(({ id }) => !chosen.some((one) => one.id === id))];
  if (offered.length === 0 && !isMuch) return null;
  return (
    <CheckboxGroup
      name={path}
      className="group"
      value={chosen.map(({ id }) => id)}
      onChange={(ids) => setChosen(offered.filter(({ id }) => ids.includes(id)))}
    >
      <Label>{label}</Label>
      {isMuch && (
        <TextField aria-label={texts.form.findIn(label)} value={search} onChange={setSearch}>
          <Input placeholder={texts.form.find} />
        </TextField>
      )}
      <div className="options">
        {offered.map((one) => (
          <Checkbox key={one.id} value={one.id}>
            <span className="box" aria-hidden="true" />
            {wordsOf(one)}
          </Checkbox>
        ))}
        {offered.length === 0 && <span className="hint">{texts.form.noneFound}</span>}
      </div>
      {about}
    </CheckboxGroup>
  );
}

import { useState, type ReactNode } from 'react';
import {
  Button,
  Checkbox,
  CheckboxGroup,
  ComboBox,
  FieldError,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
} from 'react-aria-components';
import { useQuery } from 'urql';
import {
  LookupAccountsDocument,
  LookupProjectsDocument,
  LookupRolesDocument,
} from '../../graph/documents.ts';
import { texts } from '../../texts.ts';
import { Fault } from './fault.tsx';
import type { Looked } from './input.ts';

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

/** Something that was found. */
export interface Found {
  id: string;
  name: string;
  title?: string;
  viewerMay?: readonly string[];
  /** Whose role it is, where it is a store's. */
  store?: { id: string } | null;
}

/** One that is there, found by what its name contains; or any that is known by its id. */
export function Lookup({ label, path, of, about, fault, isRequired = false, choosable, initial }: Props) {
  const [typed, setTyped] = useState(initial ? wordsOf(initial) : '');
  const [id, setId] = useState(initial?.id ?? '');
  const found = useFound(of, id === '' ? typed : '').filter((one) => choosable?.(one) ?? true);
  return (
    <ComboBox
      className="react-aria-TextField"
      isRequired={isRequired}
      menuTrigger="focus"
      allowsCustomValue
      validate={({ inputValue }) => (inputValue !== '' && id === '' ? texts.form.choose : null)}
      items={found}
      inputValue={typed}
      onInputChange={(text) => {
        // Told again of what was chosen, as when the field is left, it stays chosen.
        if (text === typed) return;
        setTyped(text);
        const one = found.find((each) => wordsOf(each) === text);
        setId(one?.id ?? (/^[a-z]+_[0-9A-Za-z]{22}$/.test(text.trim()) ? text.trim() : ''));
      }}
    >
      <Label>{label}</Label>
      <div className="lookup">
        <Input placeholder={texts.form.find} />
        <Button aria-label={texts.form.show(label)}>▾</Button>
      </div>
      <input type="hidden" name={path} value={id} />
      {about}
      <FieldError />
      <Fault text={fault} />
      <Popover className="popover">
        <ListBox renderEmptyState={() => <span className="hint">{texts.form.nothingFound}</span>}>
          {(one: Found) => (
            <ListBoxItem id={one.id} textValue={wordsOf(one)}>
              {wordsOf(one)}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}

/** Several of what is there. */
export function Lookups({
  label,
  path,
  of,
  about,
  choosable,
}: Omit<Props, 'isRequired' | 'initial' | 'fault'>) {
  const found = useFound(of, '').filter((one) => choosable?.(one) ?? true);
  if (found.length === 0) return null;
  return (
    <CheckboxGroup name={path} className="group">
      <Label>{label}</Label>
      <div className="options">
        {found.map((one) => (
          <Checkbox key={one.id} value={one.id}>
            <span className="box" aria-hidden="true" />
            {wordsOf(one)}
          </Checkbox>
        ))}
      </div>
      {about}
    </CheckboxGroup>
  );
}

const wordsOf = ({ name, title }: Found) =>
  title === undefined || title === name ? name : `${title} (${name})`;

/** The first hundred that match, as far as there is a search for them. */
function useFound(of: Looked, search: string): Found[] {
  const filter = search.trim() === '' ? {} : { search: search.trim() };
  const [accounts] = useQuery({
    query: LookupAccountsDocument,
    variables: { filter },
    pause: of !== 'Account',
  });
  const [projects] = useQuery({ query: LookupProjectsDocument, pause: of !== 'Project' });
  const [roles] = useQuery({ query: LookupRolesDocument, pause: of !== 'Role' });
  if (of === 'Account') return accounts.data?.accounts.nodes ?? [];
  const text = search.trim().toLowerCase();
  const all: readonly Found[] =
    (of === 'Project' ? projects.data?.projects.nodes : roles.data?.roles.nodes) ?? [];
  return all.filter((one) => wordsOf(one).toLowerCase().includes(text));
}

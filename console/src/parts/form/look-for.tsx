import type { ReactNode } from 'react';
import { Button, ComboBox, Input, Label, ListBox, ListBoxItem, Popover } from 'react-aria-components';
import { useQuery } from 'urql';
import {
  LookupAccountsDocument,
  LookupProjectsDocument,
  LookupRolesDocument,
} from '../../graph/documents.ts';
import { texts } from '../../texts.ts';
import type { Looked } from './input.ts';

/** Something that was found. */
export interface Found {
  id: string;
  name: string;
  title?: string;
  viewerMay?: readonly string[];
  /** Whose role it is, where it is not for all. */
  account?: { title: string } | null;
  store?: { id: string; name: string } | null;
}

interface Props {
  label: string;
  of: Looked;
  /** What stands in it: the words of what is chosen, or what is looked for. */
  typed: string;
  isChosen: boolean;
  /** Told what is typed, and which one is meant by it; an empty id where it is none. */
  type: (typed: string, id: string) => void;
  leave?: () => void;
  /** Which of what is found may be chosen; all, where left out. */
  choosable?: ((found: Found) => boolean) | undefined;
  isRequired?: boolean;
  children?: ReactNode;
}

/** A field that finds one of what is there by what its name contains; or any that is known by its id. */
export function LookFor({ label, of, typed, isChosen, type, leave, choosable, isRequired, children }: Props) {
  const found = useFound(of, isChosen ? '' : typed).filter((one) => choosable?.(one) ?? true);
  return (
    <ComboBox
      className="react-aria-TextField"
      isRequired={isRequired ?? false}
      menuTrigger="focus"
      allowsCustomValue
      allowsEmptyCollection
      validate={({ inputValue }) => (inputValue !== '' && !isChosen ? texts.form.choose : null)}
      items={found}
      inputValue={typed}
      onInputChange={(text) => {
        // Told again of what was chosen, as when the field is left, it stays chosen.
        if (text === typed) return;
        const one = found.find((each) => wordsOf(each) === text);
        type(text, one?.id ?? (isId.test(text.trim()) ? text.trim() : ''));
      }}
      {...(leave && { onBlur: leave })}
    >
      <Label>{label}</Label>
      <div className="lookup">
        <Input placeholder={texts.form.find} />
        <Button aria-label={texts.form.show(label)}>▾</Button>
      </div>
      {children}
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

const isId = /^[a-z]+_[0-9A-Za-z]{22}$/;

/** How something that was found is called, so that no other is: of a role, its name is the only one where it lives. */
export function wordsOf({ name, title, account, store }: Found): string {
  const of = account?.title ?? store?.name;
  if (of !== undefined) return `${name} (${of})`;
  return title === undefined || title === name ? name : `${title} (${name})`;
}

/** How many are found at once: the rest is found by typing more. */
export const mostFound = 50;

/** The first of those that match, in the order of their names. */
export function useFound(of: Looked, search: string): readonly Found[] {
  const variables = { filter: search.trim() === '' ? {} : { search: search.trim() } };
  const [accounts] = useQuery({ query: LookupAccountsDocument, variables, pause: of !== 'Account' });
  const [projects] = useQuery({ query: LookupProjectsDocument, variables, pause: of !== 'Project' });
  const [roles] = useQuery({ query: LookupRolesDocument, variables, pause: of !== 'Role' });
  if (of === 'Account') return accounts.data?.accounts.nodes ?? [];
  if (of === 'Project') return projects.data?.projects.nodes ?? [];
  return roles.data?.roles.nodes ?? [];
}

import { useState, type FormEvent } from 'react';
import { Button, Form, Input, Label, TextField } from 'react-aria-components';
import { textOf } from '../parts/form/input.ts';
import { keptAs } from '../parts/kept.ts';
import { useSession } from '../session/session.tsx';
import { texts } from '../texts.ts';

type Views = Readonly<Record<string, string>>;

interface Props {
  /** What stands in the address now. */
  search: string;
  open: (search: string) => void;
}

/** Addresses of the inventory by names of one's own: filters, order and columns. They are kept in this browser. */
export function SavedViews({ search, open }: Props) {
  const { viewer } = useSession();
  const kept = keptAs(`keyway-views ${viewer.id}`);
  const [views, setViews] = useState(() => viewsIn(kept.read()));
  const [isOpen, setOpen] = useState(false);
  const keep = (next: Views) => {
    kept.write(JSON.stringify(next));
    setViews(next);
  };
  const save = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = textOf(new FormData(event.currentTarget), 'name');
    if (name !== undefined) keep({ ...views, [name]: search });
    event.currentTarget.reset();
  };
  const remove = (name: string) =>
    keep(Object.fromEntries(Object.entries(views).filter(([one]) => one !== name)));
  return (
    <div className="disclosed">
      <Button aria-expanded={isOpen} aria-controls="saved-views" onPress={() => setOpen(!isOpen)}>
        {texts.saved.label}
      </Button>
      <div id="saved-views" hidden={!isOpen}>
        <ul className="chips">
          {Object.entries(views).map(([name, view]) => (
            <li key={name}>
              <Button onPress={() => open(view)}>{name}</Button>
              <Button aria-label={texts.saved.remove(name)} onPress={() => remove(name)}>
                ×
              </Button>
            </li>
          ))}
        </ul>
        <Form className="bar" onSubmit={save}>
          <TextField name="name" isRequired maxLength={60}>
            <Label>{texts.saved.name}</Label>
            <Input autoComplete="off" />
          </TextField>
          <Button type="submit">{texts.saved.save}</Button>
        </Form>
        <p className="hint">{texts.saved.help}</p>
      </div>
    </div>
  );
}

/** What was kept, as far as it is what this keeps: another page of the same address may have written there. */
function viewsIn(text: string | null): Views {
  try {
    const kept: unknown = JSON.parse(text ?? '{}');
    if (typeof kept !== 'object' || kept === null) return {};
    return Object.fromEntries(Object.entries(kept).filter(([, view]) => typeof view === 'string'));
  } catch {
    return {};
  }
}

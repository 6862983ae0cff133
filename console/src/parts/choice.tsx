import {
  Button,
  FieldError,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Select,
  SelectValue,
  type Key,
} from 'react-aria-components';
import { texts } from '../texts.ts';

interface Props {
  label: string;
  /** Values with what is shown for each. */
  choices: Readonly<Record<string, string>>;
  value: string;
  /** Also offers not to choose, which is the empty text. */
  any?: boolean;
  name?: string;
  choose?: (value: string) => void;
}

/** One of a few values. */
export function Choice({ label, choices, value, any = false, name, choose }: Props) {
  const items = [...(any ? [['', texts.filters.any] as const] : []), ...Object.entries(choices)];
  const own = choose
    ? { value, onChange: (key: Key | null) => choose(String(key ?? '')) }
    : { defaultValue: value };
  return (
    <Select className="choice" name={name} {...own}>
      <Label>{label}</Label>
      <Button>
        <SelectValue />
        <span aria-hidden="true">▾</span>
      </Button>
      <FieldError />
      <Popover className="popover">
        <ListBox>
          {items.map(([id, words]) => (
            <ListBoxItem key={id} id={id} textValue={words}>
              {words}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </Select>
  );
}

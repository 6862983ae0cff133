import { Input, Label, TextField } from 'react-aria-components';

interface Props {
  label: string;
  type?: 'text' | 'date';
  value: string;
  set: (value: string) => void;
}

/** A filter that is typed: it counts once the field is left, or Enter is pressed. */
export function Typed({ label, type = 'text', value, set }: Props) {
  return (
    <TextField key={value} type={type} defaultValue={value}>
      <Label>{label}</Label>
      <Input
        onBlur={({ target }) => target.value !== value && set(target.value)}
        onKeyDown={({ key, currentTarget }) =>
          key === 'Enter' && currentTarget.value !== value && set(currentTarget.value)
        }
      />
    </TextField>
  );
}

import { useState } from 'react';
import { Button, Checkbox, CheckboxGroup, Label } from 'react-aria-components';
import { texts } from '../texts.ts';
import { columnNames } from './columns.tsx';

interface Props {
  names: readonly string[];
  choose: (names: string[]) => void;
}

/** Which columns are shown, behind a button. */
export function ColumnChoice({ names, choose }: Props) {
  const [isOpen, setOpen] = useState(false);
  return (
    <div className="disclosed">
      <Button aria-expanded={isOpen} aria-controls="columns" onPress={() => setOpen(!isOpen)}>
        {texts.columns.label}
      </Button>
      <div id="columns" hidden={!isOpen}>
        <CheckboxGroup className="group" value={[...names]} onChange={choose}>
          <Label>{texts.columns.label}</Label>
          <div className="options">
            {columnNames.map((name) => (
              <Checkbox key={name} value={name} isDisabled={name === 'name'}>
                <span className="box" aria-hidden="true" />
                {texts.credentials.columns[name]}
              </Checkbox>
            ))}
          </div>
        </CheckboxGroup>
      </div>
    </div>
  );
}

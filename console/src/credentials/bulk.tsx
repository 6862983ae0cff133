import { useState } from 'react';
import { Button, Input, Label, TextField } from 'react-aria-components';
import type { CredentialRowFragment } from '../graph/documents.ts';
import { Choice } from '../parts/choice.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { Lookup } from '../parts/form/lookup.tsx';
import { texts } from '../texts.ts';
import { useBulkRun, type Verb } from './bulk-run.tsx';

interface Props {
  rows: readonly CredentialRowFragment[];
  clear: () => void;
  /** Called once something was done. */
  done: () => void;
}

const permissions = {
  rotate: 'CREDENTIAL_ROTATE',
  disable: 'CREDENTIAL_UPDATE',
  owner: 'CREDENTIAL_UPDATE',
  revoke: 'CREDENTIAL_REVOKE',
} as const satisfies Record<Verb, string>;

/** What is done with several credentials at once: a request for each, with what came of it. */
export function Bulk({ rows, clear, done }: Props) {
  const [verb, setVerb] = useState<Verb>();
  const [typed, setTyped] = useState('');
  const start = useBulkRun();
  // An owner may do things that no role says.
  const verbs = (Object.keys(permissions) as Verb[]).filter((one) =>
    rows.some(({ viewerMay }) => viewerMay.includes(permissions[one])),
  );
  return (
    <div className="bar bulk" role="toolbar" aria-label={texts.bulk.label}>
      <strong role="status">{texts.bulk.chosen(rows.length)}</strong>
      {verbs.map((one) => (
        <Button
          key={one}
          className={one === 'revoke' ? 'danger' : undefined}
          onPress={() => {
            setTyped('');
            setVerb(one);
          }}
        >
          {texts.bulk.verbs[one]}
        </Button>
      ))}
      <Button onPress={clear}>{texts.bulk.clear}</Button>
      {verb && (
        <Confirm
          title={texts.bulk.title(texts.bulk.verbs[verb], rows.length)}
          action={texts.bulk.verbs[verb]}
          isFinal={verb === 'revoke'}
          isWorking={false}
          isReady={verb !== 'revoke' || typed === String(rows.length)}
          submit={(form) => {
            setVerb(undefined);
            start({ rows, verb, form, done });
          }}
          close={() => setVerb(undefined)}
        >
          <p>{texts.bulk.text[verb]}</p>
          {verb === 'rotate' && (
            <Choice label={texts.rotate.grace} name="grace" choices={texts.rotate.choices} value="P1D" />
          )}
          {verb === 'revoke' && (
            <TextField value={typed} onChange={setTyped} autoComplete="off" isRequired>
              <Label>{texts.bulk.confirm(rows.length)}</Label>
              <Input inputMode="numeric" />
            </TextField>
          )}
          {verb === 'owner' && <Lookup label={texts.bulk.owner} path="owner" of="Account" isRequired />}
        </Confirm>
      )}
    </div>
  );
}

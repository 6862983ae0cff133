import { useState } from 'react';
import { Button, Input, Label, TextField } from 'react-aria-components';
import { useMutation, type CombinedError } from 'urql';
import {
  RevealCredentialDocument,
  RevokeCredentialDocument,
  RotateCredentialDocument,
  SwitchCredentialDocument,
  type CredentialFactsFragment,
  type IssuedFragment,
} from '../graph/documents.ts';
import { isAbout } from '../graph/client.ts';
import { Choice } from '../parts/choice.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { Problem } from '../parts/problem.tsx';
import { SecretDialog } from '../parts/secret.tsx';
import { texts } from '../texts.ts';

type Action = 'rotate' | 'reveal' | 'revoke' | 'switch';

const over = new Set(['REVOKED', 'REVOKING', 'DELETED', 'GONE', 'ABANDONED']);

/** What can be done with a credential: a button for each, and the dialog that says what will happen. */
export function Actions({ credential }: { credential: CredentialFactsFragment }) {
  const [action, setAction] = useState<Action>();
  const [issued, setIssued] = useState<{ title: string; issued: IssuedFragment }>();
  const close = () => setAction(undefined);
  const show = (title: string) => (issued: IssuedFragment) => {
    close();
    setIssued({ title, issued });
  };
  if (over.has(credential.status) && !issued) return null;
  const can = (name: (typeof credential.store.capabilities)[number]) =>
    credential.store.kind === 'BUILT_IN' || credential.store.capabilities.includes(name);
  const offered: readonly [Action, string, boolean][] = [
    [
      'rotate',
      texts.actions.rotate,
      can('ROTATE') && (credential.kind === 'ACCESS_KEY' || credential.kind === 'TOKEN'),
    ],
    ['reveal', texts.actions.reveal, credential.retrievable],
    [
      'switch',
      credential.enabled === false ? texts.actions.enable : texts.actions.disable,
      credential.enabled !== null && can('UPDATE'),
    ],
    ['revoke', texts.actions.revoke, can('REVOKE')],
  ];
  return (
    <div className="buttons">
      {offered
        .filter(([, , isOffered]) => isOffered)
        .map(([name, words]) => (
          <Button
            key={name}
            className={name === 'revoke' ? 'danger' : undefined}
            onPress={() => setAction(name)}
          >
            {words}
          </Button>
        ))}
      {action === 'rotate' && (
        <Rotate credential={credential} close={close} shown={show(texts.rotate.done)} />
      )}
      {action === 'reveal' && (
        <Reveal credential={credential} close={close} shown={show(texts.reveal.done)} />
      )}
      {action === 'revoke' && <Revoke credential={credential} close={close} />}
      {action === 'switch' && <Switch credential={credential} close={close} />}
      {issued && <SecretDialog name={credential.name} {...issued} close={() => setIssued(undefined)} />}
    </div>
  );
}

interface DialogProps {
  credential: CredentialFactsFragment;
  close: () => void;
}

function Rotate({
  credential: { id, name },
  close,
  shown,
}: DialogProps & { shown: (issued: IssuedFragment) => void }) {
  const [{ fetching, error }, rotate] = useMutation(RotateCredentialDocument);
  const submit = async (idempotencyKey: string, form: FormData) => {
    const gracePeriod = textOf(form, 'grace');
    const { data } = await rotate({
      input: { id, idempotencyKey, gracePeriod, mfaCode: textOf(form, 'mfaCode') },
    });
    if (data) shown(data.rotateCredential.issued);
  };
  return (
    <Confirm
      title={texts.rotate.title(name)}
      action={texts.actions.rotate}
      isWorking={fetching}
      submit={(key, form) => void submit(key, form)}
      close={close}
    >
      <p>{texts.rotate.text}</p>
      <Choice label={texts.rotate.grace} name="grace" choices={texts.rotate.choices} value="P1D" />
      <SecondFactor error={error} />
    </Confirm>
  );
}

function Reveal({
  credential: { id, name },
  close,
  shown,
}: DialogProps & { shown: (issued: IssuedFragment) => void }) {
  const [{ fetching, error }, reveal] = useMutation(RevealCredentialDocument);
  const submit = async (form: FormData) => {
    const { data } = await reveal({ input: { id, mfaCode: textOf(form, 'mfaCode') } });
    if (data) shown(data.revealCredential.issued);
  };
  return (
    <Confirm
      title={texts.reveal.title(name)}
      action={texts.actions.reveal}
      isWorking={fetching}
      submit={(_, form) => void submit(form)}
      close={close}
    >
      <p>{texts.reveal.text}</p>
      <SecondFactor error={error} />
    </Confirm>
  );
}

function Revoke({ credential: { id, name }, close }: DialogProps) {
  const [typed, setTyped] = useState('');
  const [{ fetching, error }, revoke] = useMutation(RevokeCredentialDocument);
  const submit = async (idempotencyKey: string, form: FormData) => {
    const { data } = await revoke({ input: { id, idempotencyKey, reason: textOf(form, 'reason') } });
    if (data) close();
  };
  return (
    <Confirm
      title={texts.revoke.title(name)}
      action={texts.actions.revoke}
      isFinal
      isWorking={fetching}
      isReady={typed === name}
      submit={(key, form) => void submit(key, form)}
      close={close}
    >
      <p>{texts.revoke.text}</p>
      <TextField name="reason" maxLength={500}>
        <Label>{texts.revoke.reason}</Label>
        <Input />
      </TextField>
      <TextField value={typed} onChange={setTyped} autoComplete="off" isRequired>
        <Label>{texts.revoke.confirm(name)}</Label>
        <Input spellCheck="false" />
      </TextField>
      {error && <Problem error={error} />}
    </Confirm>
  );
}

function Switch({ credential: { id, name, enabled, revision }, close }: DialogProps) {
  const [{ fetching, error }, update] = useMutation(SwitchCredentialDocument);
  const isOff = enabled === false;
  const submit = async (idempotencyKey: string) => {
    const { data } = await update({
      input: { id, idempotencyKey, enabled: isOff, expectedRevision: revision },
    });
    if (data) close();
  };
  const words = isOff ? texts.switchOn : texts.switchOff;
  return (
    <Confirm
      title={words.title(name)}
      action={isOff ? texts.actions.enable : texts.actions.disable}
      isWorking={fetching}
      submit={(key) => void submit(key)}
      close={close}
    >
      <p>{words.text}</p>
      {error && <Problem error={error} />}
    </Confirm>
  );
}

/** The error of a verb that shows a secret; where it is that a code is missing or wrong, a place to type one. */
function SecondFactor({ error }: { error: CombinedError | undefined }) {
  const [isAsked, setAsked] = useState(false);
  if (error && !isAsked && isAbout(error, 'mfaCode')) setAsked(true);
  return (
    <>
      {isAsked && (
        <TextField name="mfaCode" inputMode="numeric" autoComplete="one-time-code" isRequired autoFocus>
          <Label>{texts.actions.mfa}</Label>
          <Input />
        </TextField>
      )}
      {error && <Problem error={error} />}
    </>
  );
}

/** @returns what was typed, or undefined where nothing was. */
function textOf(form: FormData, name: string): string | undefined {
  const text = form.get(name);
  return typeof text === 'string' && text.trim() !== '' ? text.trim() : undefined;
}

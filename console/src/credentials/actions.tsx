import { useState } from 'react';
import { Button, FieldError, Input, Label, TextField } from 'react-aria-components';
import { useMutation } from 'urql';
import { useFaults } from '../parts/form/faults.ts';
import {
  IssueTemporaryCredentialDocument,
  RevealCredentialDocument,
  RevokeCredentialDocument,
  RotateCredentialDocument,
  UpdateCredentialDocument,
  type CredentialFactsFragment,
  type IssuedFragment,
  type StoreCapability,
} from '../graph/documents.ts';
import { useChange } from '../graph/changes.ts';
import { Choice } from '../parts/choice.tsx';
import { Confirm } from '../parts/confirm.tsx';
import { rawOf, textOf } from '../parts/form/input.ts';
import { Problem } from '../parts/problem.tsx';
import { SecretDialog } from '../parts/secret.tsx';
import { texts } from '../texts.ts';
import { SecondFactor } from './second-factor.tsx';
import { secretOf, SecretFields } from './secret-fields.tsx';

type Action = 'rotate' | 'reveal' | 'revoke' | 'switch' | 'issue';

const over = new Set(['REVOKED', 'REVOKING', 'DELETED', 'GONE', 'ABANDONED']);

/** What can be done with a credential: a button for each, and the dialog that says what will happen. */
export function Actions({ credential, again }: Omit<DialogProps, 'close'>) {
  const [action, setAction] = useState<Action>();
  const [issued, setIssued] = useState<{ title: string; issued: IssuedFragment }>();
  const close = () => setAction(undefined);
  const show = (title: string) => (issued: IssuedFragment) => {
    close();
    setIssued({ title, issued });
  };
  // What a dialog has to say stays, also where the credential was ended meanwhile.
  if (over.has(credential.status) && !issued && !action) return null;
  const may = new Set(credential.viewerMay);
  // What Keyway reaches the store with is not ended here, and turned only where the store lists it.
  const { reachesStore: isOwn, externalId } = credential;
  const isListed = externalId !== null;
  const can = (name: StoreCapability) => credential.store.capabilities.includes(name);
  const offered: readonly [Action, string, boolean][] = [
    [
      'rotate',
      texts.actions.rotate,
      may.has('CREDENTIAL_ROTATE') && can('ROTATE') && credential.parent === null && !(isOwn && !isListed),
    ],
    ['reveal', texts.actions.reveal, may.has('CREDENTIAL_REVEAL') && credential.retrievable],
    [
      'issue',
      texts.actions.issue,
      may.has('CREDENTIAL_CREATE') &&
        can('ISSUE') &&
        credential.kind === 'ACCESS_KEY' &&
        credential.parent === null,
    ],
    [
      'switch',
      credential.enabled === false ? texts.actions.enable : texts.actions.disable,
      may.has('CREDENTIAL_UPDATE') &&
        credential.enabled !== null &&
        can('UPDATE') &&
        !(isOwn && credential.enabled),
    ],
    ['revoke', texts.actions.revoke, may.has('CREDENTIAL_REVOKE') && can('REVOKE') && !isOwn],
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
        <Rotate credential={credential} again={again} close={close} shown={show(texts.rotate.done)} />
      )}
      {action === 'reveal' && (
        <Reveal credential={credential} close={close} shown={show(texts.reveal.done)} />
      )}
      {action === 'issue' && (
        <Issue credential={credential} again={again} close={close} shown={show(texts.issue.done)} />
      )}
      {action === 'revoke' && <Revoke credential={credential} again={again} close={close} />}
      {action === 'switch' && <Switch credential={credential} again={again} close={close} />}
      {issued && <SecretDialog name={credential.name} {...issued} close={() => setIssued(undefined)} />}
    </div>
  );
}

interface DialogProps {
  credential: CredentialFactsFragment;
  close: () => void;
  /** Reads the credential again: something may have become of it though no answer says so. */
  again: () => void;
}

/** Where a new password stands in what is asked, so that what is wrong with it is said at its field. */
const passwordPath = 'input.secret.password';

/** A name as a page shows it: with one space where it has several. */
const asRead = (name: string) => name.trim().replace(/\s+/g, ' ');

function Rotate({
  credential,
  again,
  close,
  shown,
}: DialogProps & { shown: (issued: IssuedFragment) => void }) {
  const { id, name, kind, provider, accessKey, store } = credential;
  const lives = store.rotation?.previous === 'LIVES';
  const [{ fetching, error }, rotate] = useChange(RotateCredentialDocument);
  const faults = useFaults(error);
  const submit = async (form: FormData) => {
    const password = rawOf(form, `${passwordPath}.password`);
    const secret =
      kind === 'PROVIDER_KEYS'
        ? secretOf(kind, form)
        : password === ''
          ? undefined
          : { password: { username: accessKey ?? '', password } };
    const gracePeriod = textOf(form, 'grace');
    const { data } = await rotate({ id, gracePeriod, secret }, textOf(form, 'mfaCode'));
    if (data) shown(data.rotateCredential.issued);
    else again();
  };
  return (
    <Confirm
      title={texts.rotate.title(name)}
      action={texts.actions.rotate}
      isWorking={fetching}
      submit={(form) => void submit(form)}
      close={close}
      faults={faults}
    >
      <p>
        {kind === 'PROVIDER_KEYS' ? texts.rotate.given : texts.rotate.made}{' '}
        {lives ? texts.rotate.lives : texts.rotate.dies}
      </p>
      {lives && <Choice label={texts.rotate.grace} name="grace" choices={texts.rotate.choices} value="P1D" />}
      {kind === 'PASSWORD' && (
        <TextField name={`${passwordPath}.password`} type="password" autoComplete="new-password">
          <Label>{texts.rotate.password}</Label>
          <Input />
          <FieldError />
        </TextField>
      )}
      {kind === 'PROVIDER_KEYS' && <SecretFields kind={kind} faults={faults} provider={provider} />}
      <SecondFactor error={error} />
    </Confirm>
  );
}

function Reveal({
  credential: { id, name },
  close,
  shown,
}: Omit<DialogProps, 'again'> & { shown: (issued: IssuedFragment) => void }) {
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
      submit={(form) => void submit(form)}
      close={close}
    >
      <p>{texts.reveal.text}</p>
      <SecondFactor error={error} />
    </Confirm>
  );
}

function Issue({
  credential: { id, name, store },
  again,
  close,
  shown,
}: DialogProps & { shown: (issued: IssuedFragment) => void }) {
  const [{ fetching, error }, issue] = useChange(IssueTemporaryCredentialDocument);
  const faults = useFaults(error);
  const submit = async (form: FormData) => {
    const [code, device] = [textOf(form, 'input.storeMfa.code'), textOf(form, 'input.storeMfa.device')];
    const isAsked = code !== undefined || device !== undefined;
    const { data } = await issue(
      {
        parent: id,
        duration: textOf(form, 'duration'),
        ...(isAsked && { storeMfa: { code: code ?? '', device: device ?? '' } }),
      },
      textOf(form, 'mfaCode'),
    );
    if (data) shown(data.issueTemporaryCredential.issued);
    else again();
  };
  return (
    <Confirm
      title={texts.issue.title(name)}
      action={texts.actions.issue}
      isWorking={fetching}
      submit={(form) => void submit(form)}
      close={close}
      faults={faults}
    >
      <p>{texts.issue.text}</p>
      <Choice label={texts.issue.duration} name="duration" choices={texts.issue.choices} value="PT1H" />
      {store.kind !== 'BUILT_IN' && (
        <>
          <TextField name="input.storeMfa.device">
            <Label>{texts.issue.device}</Label>
            <Input spellCheck="false" />
            <FieldError />
          </TextField>
          <TextField name="input.storeMfa.code" inputMode="numeric" autoComplete="one-time-code">
            <Label>{texts.issue.storeMfa}</Label>
            <Input />
            <FieldError />
          </TextField>
        </>
      )}
      <SecondFactor error={error} />
    </Confirm>
  );
}

function Revoke({ credential: { id, name }, again, close }: DialogProps) {
  const [typed, setTyped] = useState('');
  const [{ fetching, error }, revoke] = useChange(RevokeCredentialDocument);
  const submit = async (form: FormData) => {
    const { data } = await revoke({ id, reason: textOf(form, 'reason') });
    if (data) close();
    else again();
  };
  return (
    <Confirm
      title={texts.revoke.title(name)}
      action={texts.actions.revoke}
      isFinal
      isWorking={fetching}
      isReady={asRead(typed) === asRead(name)}
      submit={(form) => void submit(form)}
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

function Switch({ credential: { id, name, enabled, revision }, again, close }: DialogProps) {
  const [{ fetching, error }, update] = useChange(UpdateCredentialDocument);
  // What is asked for stays what it was, whatever somebody else has done to the credential since.
  const [isOff] = useState(enabled === false);
  const submit = async () => {
    const { data } = await update({ id, enabled: isOff, expectedRevision: revision });
    if (data) close();
    // It may be another one by now, and is read again before it is tried again.
    else again();
  };
  const words = isOff ? texts.switchOn : texts.switchOff;
  return (
    <Confirm
      title={words.title(name)}
      action={isOff ? texts.actions.enable : texts.actions.disable}
      isWorking={fetching}
      submit={() => void submit()}
      close={close}
    >
      <p>{words.text}</p>
      {error && <Problem error={error} />}
    </Confirm>
  );
}

import { createContext, use, useEffect, useRef, useState, type ReactNode } from 'react';
import { Button, Form, Heading, Input, Label, TextField } from 'react-aria-components';
import { useClient, type Client, type CombinedError } from 'urql';
import { change } from '../graph/changes.ts';
import { codeOf, isAbout } from '../graph/client.ts';
import {
  RevokeCredentialDocument,
  RotateCredentialDocument,
  UpdateCredentialDocument,
  type CredentialRowFragment,
  type IssuedFragment,
} from '../graph/documents.ts';
import { Shown } from '../parts/confirm.tsx';
import { download } from '../parts/download.ts';
import { textOf } from '../parts/form/input.ts';
import { useLeaveGuard } from '../parts/leave-guard.ts';
import { wordsOf } from '../parts/problem.tsx';
import { SecretDialog } from '../parts/secret.tsx';
import { texts } from '../texts.ts';

type Row = CredentialRowFragment;
/** What can be done with several credentials. */
export type Verb = keyof typeof texts.bulk.verbs;

/** What is to be done. */
interface Task {
  rows: readonly Row[];
  verb: Verb;
  form: FormData;
  /** Called once it is closed. */
  done: () => void;
}

/** What came of one of them: what was issued, where something was; or why nothing was done. */
interface Result {
  issued?: IssuedFragment;
  error?: CombinedError;
}

const Start = createContext<(task: Task) => void>(() => undefined);

/** @returns what begins a task, which goes on whatever view is opened meanwhile. */
export const useBulkRun = (): ((task: Task) => void) => use(Start);

/** Shows the task that is under way over whatever view is open: what it issues must not go with a view. */
export function WithBulkRun({ children }: { children: ReactNode }) {
  const [task, setTask] = useState<Task>();
  return (
    <Start value={setTask}>
      {children}
      {task && (
        <Progress
          {...task}
          close={() => {
            setTask(undefined);
            task.done();
          }}
        />
      )}
    </Start>
  );
}

/** One after another, until all are done or somebody stops it. What was issued is kept until it is closed. */
function Progress({ rows, verb, form, close }: Omit<Task, 'done'> & { close: () => void }) {
  const client = useClient();
  const [results, setResults] = useState<ReadonlyMap<string, Result>>(new Map());
  const [shown, show] = useState<Row>();
  const [code, setCode] = useState('');
  const [isSaved, setSaved] = useState(false);
  const [isWarned, setWarned] = useState(false);
  const [isWorking, setWorking] = useState(false);
  const state = useRef({ isStopped: false, isBegun: false });

  const work = async () => {
    state.current.isStopped = false;
    setWorking(true);
    // A code of the second factor holds once.
    let unused = code;
    setCode('');
    for (const row of rows) {
      const before = results.get(row.id);
      if (before && !before.error) continue;
      if (state.current.isStopped) break;
      const result = await doOne(client, verb, row, form, unused || undefined);
      unused = '';
      setResults((all) => new Map(all).set(row.id, result));
      // Of all that follow it would be the same.
      if (result.error && (codeOf(result.error) === 'UNAUTHENTICATED' || isAbout(result.error, 'mfaCode')))
        break;
    }
    setWorking(false);
  };
  useEffect(() => {
    if (state.current.isBegun) return;
    state.current.isBegun = true;
    void work();
  });
  const errors = [...results.values()].flatMap(({ error }) => error ?? []);
  const failed = errors.length;
  const issued = rows.flatMap((row) => {
    const one = results.get(row.id)?.issued;
    return one ? [{ name: row.name, id: row.id, ...one }] : [];
  });
  const isUntaken = issued.length > 0 && !isSaved;
  const leave = () => {
    if (isUntaken && !isWarned) setWarned(true);
    else close();
  };
  useLeaveGuard(isWorking || isUntaken);
  return (
    <Shown close={leave} isKeyboardDismissDisabled>
      <Heading slot="title">{texts.bulk.title(texts.bulk.verbs[verb], rows.length)}</Heading>
      <progress max={rows.length} value={results.size} aria-label={texts.bulk.progress} />
      <p role="status">{texts.bulk.state(results.size, rows.length, failed)}</p>
      <ul className="plain results">
        {rows.map((row) => (
          <li key={row.id}>
            <strong>{row.name}</strong> <Outcome result={results.get(row.id)} show={() => show(row)} />
          </li>
        ))}
      </ul>
      {errors.some((error) => isAbout(error, 'mfaCode')) && !isWorking && (
        <Form onSubmit={(event) => event.preventDefault()}>
          <TextField value={code} onChange={setCode} inputMode="numeric" autoComplete="one-time-code">
            <Label>{texts.actions.mfa}</Label>
            <Input />
          </TextField>
        </Form>
      )}
      {issued.length > 0 && <p>{texts.bulk.secrets}</p>}
      {isWarned && isUntaken && (
        <p className="notice" role="alert">
          {texts.bulk.untaken}
        </p>
      )}
      <div className="buttons">
        {issued.length > 0 && (
          <Button
            onPress={() => {
              download('keyway.json', JSON.stringify(issued, null, 2));
              setSaved(true);
            }}
          >
            {texts.bulk.download}
          </Button>
        )}
        {isWorking ? (
          <Button onPress={() => (state.current.isStopped = true)}>{texts.bulk.stop}</Button>
        ) : (
          <>
            {(results.size < rows.length || failed > 0) && (
              <Button className="primary" onPress={() => void work()} autoFocus>
                {texts.bulk.goOn}
              </Button>
            )}
            <Button onPress={leave}>{isWarned && isUntaken ? texts.secret.closeUntaken : texts.close}</Button>
          </>
        )}
      </div>
      {shown && results.get(shown.id)?.issued && (
        <SecretDialog
          title={texts.rotate.done}
          name={shown.name}
          issued={results.get(shown.id)?.issued as IssuedFragment}
          close={() => show(undefined)}
        />
      )}
    </Shown>
  );
}

function Outcome({ result, show }: { result: Result | undefined; show: () => void }) {
  if (!result) return <span className="faint">{texts.bulk.waiting}</span>;
  if (result.error) return <span className="badge bad">{wordsOf(result.error)}</span>;
  return (
    <>
      <span className="badge good">{texts.bulk.done}</span>
      {result.issued && <Button onPress={show}>{texts.actions.reveal}</Button>}
    </>
  );
}

async function doOne(
  client: Client,
  verb: Verb,
  { id, store }: Row,
  form: FormData,
  code: string | undefined,
): Promise<Result> {
  switch (verb) {
    case 'rotate': {
      const gracePeriod = store.rotation?.previous === 'LIVES' ? textOf(form, 'grace') : undefined;
      const { data, error } = await change(client, RotateCredentialDocument, { id, gracePeriod }, code);
      return data ? { issued: data.rotateCredential.issued } : { error };
    }
    case 'revoke':
      return errorOf(await change(client, RevokeCredentialDocument, { id }));
    case 'disable':
      return errorOf(await change(client, UpdateCredentialDocument, { id, enabled: false }));
    case 'owner':
      return errorOf(
        await change(client, UpdateCredentialDocument, { id, owner: textOf(form, 'owner') }, code),
      );
  }
}

const errorOf = ({ error }: { error?: CombinedError }): Result => (error ? { error } : {});

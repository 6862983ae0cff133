import { useEffect, useRef, useState } from 'react';
import { Button, Heading, Input, Label, TextField } from 'react-aria-components';
import { useClient, type Client, type CombinedError } from 'urql';
import {
  RevokeCredentialDocument,
  RotateCredentialDocument,
  UpdateCredentialDocument,
  type CredentialRowFragment,
  type IssuedFragment,
} from '../graph/documents.ts';
import { Choice } from '../parts/choice.tsx';
import { Confirm, Shown } from '../parts/confirm.tsx';
import { download } from '../parts/download.ts';
import { textOf } from '../parts/form/input.ts';
import { Lookup } from '../parts/form/lookup.tsx';
import { newIdempotencyKey } from '../parts/idempotency-key.ts';
import { wordsOf } from '../parts/problem.tsx';
import { SecretDialog } from '../parts/secret.tsx';
import { useSession } from '../session/session.tsx';
import { texts } from '../texts.ts';

type Row = CredentialRowFragment;
type Verb = keyof typeof texts.bulk.verbs;

/** What came of one of them: what was issued, where something was; or why nothing was done. */
interface Result {
  issued?: IssuedFragment;
  error?: CombinedError;
}

interface Props {
  rows: readonly Row[];
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
  const { may } = useSession();
  const [verb, setVerb] = useState<Verb>();
  const [typed, setTyped] = useState('');
  const [run, setRun] = useState<{ verb: Verb; form: FormData }>();
  const verbs = (Object.keys(permissions) as Verb[]).filter((one) => may.has(permissions[one]));
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
          submit={(_, form) => {
            setVerb(undefined);
            setRun({ verb, form });
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
      {run && (
        <Progress
          rows={rows}
          {...run}
          close={() => {
            setRun(undefined);
            done();
          }}
        />
      )}
    </div>
  );
}

interface ProgressProps {
  rows: readonly Row[];
  verb: Verb;
  form: FormData;
  close: () => void;
}

/** One after another, until all are done or somebody stops it. What was issued is kept until it is closed. */
function Progress({ rows, verb, form, close }: ProgressProps) {
  const client = useClient();
  const [keys] = useState(() => new Map(rows.map(({ id }) => [id, newIdempotencyKey()])));
  const [results, setResults] = useState<ReadonlyMap<string, Result>>(new Map());
  const [shown, show] = useState<Row>();
  const state = useRef({ isStopped: false });
  const [isWorking, setWorking] = useState(false);

  const work = async () => {
    state.current.isStopped = false;
    setWorking(true);
    for (const row of rows) {
      const before = results.get(row.id);
      if (before && !before.error) continue;
      if (state.current.isStopped) break;
      // The same key at each try: what was done already is not done twice.
      const result = await doOne(client, verb, row, form, keys.get(row.id) ?? '');
      setResults((all) => new Map(all).set(row.id, result));
    }
    setWorking(false);
  };
  const isBegun = useRef(false);
  useEffect(() => {
    if (isBegun.current) return;
    isBegun.current = true;
    void work();
  });
  const failed = [...results.values()].filter(({ error }) => error).length;
  const issued = rows.flatMap((row) => {
    const one = results.get(row.id)?.issued;
    return one ? [{ name: row.name, id: row.id, ...one }] : [];
  });
  return (
    <Shown close={close} isKeyboardDismissDisabled>
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
      {issued.length > 0 && <p>{texts.bulk.secrets}</p>}
      <div className="buttons">
        {issued.length > 0 && (
          <Button onPress={() => download('keyway.json', JSON.stringify(issued, null, 2))}>
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
            <Button onPress={close}>{texts.close}</Button>
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
  idempotencyKey: string,
): Promise<Result> {
  const common = { id, idempotencyKey };
  switch (verb) {
    case 'rotate': {
      const input = {
        ...common,
        ...(store.rotation?.previous === 'LIVES' && { gracePeriod: textOf(form, 'grace') }),
      };
      const { data, error } = await client.mutation(RotateCredentialDocument, { input }).toPromise();
      return data ? { issued: data.rotateCredential.issued } : { error };
    }
    case 'revoke': {
      const { error } = await client.mutation(RevokeCredentialDocument, { input: common }).toPromise();
      return { error };
    }
    default: {
      const change = verb === 'disable' ? { enabled: false } : { owner: textOf(form, 'owner') };
      const input = { ...common, ...change };
      const { error } = await client.mutation(UpdateCredentialDocument, { input }).toPromise();
      return { error };
    }
  }
}

import { useState, type FormEvent } from 'react';
import { Button, FieldError, Form, Input, Label, Text, TextField } from 'react-aria-components';
import { askWho, codeOf } from '../graph/client.ts';
import type { ViewerQuery } from '../graph/documents.ts';
import { Mark } from '../parts/mark.tsx';
import { Problem } from '../parts/problem.tsx';
import { SignInAtIssuer } from './sign-in-at.tsx';
import { signIns } from './sign-ins.ts';
import { texts } from '../texts.ts';
import type { CombinedError } from 'urql';

interface Props {
  /** Why there is nobody signed in any more. */
  notice: string | undefined;
  signedIn: (token: string, known: ViewerQuery) => void;
}

/** Asks for a token, and takes it once Keyway has. */
export function SignIn({ notice, signedIn }: Props) {
  const [fault, setFault] = useState<string>();
  const [problem, setProblem] = useState<CombinedError>();
  const [isChecking, setChecking] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const typed = new FormData(event.currentTarget).get('token');
    const token = typeof typed === 'string' ? typed.trim() : '';
    setProblem(undefined);
    setFault(undefined);
    // What could be no header is not sent.
    if (!/^[\x21-\x7e]+$/.test(token)) return setFault(texts.signIn.malformed);
    setChecking(true);
    const { data, error } = await askWho(token);
    setChecking(false);
    if (data) signedIn(token, data);
    else if (error && codeOf(error) === 'UNAUTHENTICATED') setFault(texts.signIn.refused);
    else setProblem(error);
  }

  return (
    <main className="sign-in">
      <Form
        className="card"
        onSubmit={(event) => void submit(event)}
        validationErrors={fault ? { token: fault } : {}}
      >
        <h1>
          <Mark /> {texts.signIn.title}
        </h1>
        {notice !== undefined && (
          <p className="notice" role="status">
            {notice}
          </p>
        )}
        <AtIssuers />
        <TextField name="token" type="password" isRequired autoComplete="off" autoFocus>
          <Label>{texts.signIn.token}</Label>
          <Input spellCheck="false" />
          <Text slot="description">{texts.signIn.help}</Text>
          <FieldError />
        </TextField>
        {problem && <Problem error={problem} />}
        <Button type="submit" className="primary" isDisabled={isChecking}>
          {isChecking ? texts.signIn.checking : texts.signIn.submit}
        </Button>
        <p className="hint">{texts.signIn.first}</p>
      </Form>
    </main>
  );
}

/** A way to each issuer that people can sign in at, where the page may make what that takes. */
function AtIssuers() {
  const [why, setWhy] = useState<string>();
  const issuers = signIns();
  if (issuers.length === 0) return null;
  if (!isSecureContext) return <p className="hint">{texts.signIn.insecure}</p>;
  return (
    <>
      {issuers.map((at) => (
        <SignInAtIssuer key={at.issuer} at={at} failed={setWhy} />
      ))}
      {why !== undefined && (
        <p className="problem" role="alert">
          {why}
        </p>
      )}
      <p className="hint">{texts.signIn.or}</p>
    </>
  );
}

import { useState } from 'react';
import { Input, Label, TextField } from 'react-aria-components';
import type { CombinedError } from 'urql';
import { isAbout } from '../graph/client.ts';
import { Problem } from '../parts/problem.tsx';
import { texts } from '../texts.ts';

/** The error of a verb that shows a secret; where it is that a code is missing or wrong, a place to type one. */
export function SecondFactor({ error }: { error: CombinedError | undefined }) {
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

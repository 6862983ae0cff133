import { Button } from 'react-aria-components';
import type { CombinedError } from 'urql';
import { codeOf, requestIdOf } from '../graph/client.ts';
import { texts } from '../texts.ts';

/** An error in words, with the id of its request, and a way to try again where there is one. */
export function Problem({ error, retry }: { error: CombinedError; retry?: () => void }) {
  const id = requestIdOf(error);
  return (
    <div className="problem" role="alert">
      <strong>{texts.problems.title}</strong>
      <p>{wordsOf(error)}</p>
      {codeOf(error) === 'OUTCOME_UNKNOWN' && <p>{texts.problems.outcomeUnknown}</p>}
      {id !== undefined && (
        <p className="hint">
          {codeOf(error)} · {texts.problems.request(id)}
        </p>
      )}
      {retry && <Button onPress={retry}>{texts.retry}</Button>}
    </div>
  );
}

/** @returns what Keyway said, or that it said nothing. */
export const wordsOf = (error: CombinedError): string =>
  error.networkError && codeOf(error) === undefined
    ? texts.problems.network
    : error.graphQLErrors.map(({ message }) => message).join(' ');

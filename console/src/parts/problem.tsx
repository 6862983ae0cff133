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
      <p>{error.networkError && codeOf(error) === undefined ? texts.problems.network : wordsOf(error)}</p>
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

const wordsOf = (error: CombinedError) => error.graphQLErrors.map(({ message }) => message).join(' ');

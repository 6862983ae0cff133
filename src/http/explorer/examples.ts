import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installed } from '../../config/installed.js';

/** One tab of the explorer: a document with one named operation, and the variables it is opened with, as JSON. */
export interface Example {
  file: string;
  query: string;
  variables?: string;
}

/** What the example that connects a store asks a person to bring. */
export type Brought = Readonly<Record<'storeAddress' | 'storeKey' | 'storeSecret', unknown>>;

/**
 * The explorer's examples, in the order to run them in. Where a value must come out of an earlier answer, the variable
 * is named for what it is (`account`, `credential`, `secret`, …) in all of them, and ends with an ellipsis, behind the
 * prefix where there is one: `acct_…`. The page fills it in from there.
 * @param brought the values of a store to connect, where they are known
 */
export function examples(now = new Date(), brought?: Brought): Example[] {
  // The build copies no documents.
  const folder = installed('src/http/explorer/examples');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.graphql'))
    .sort()
    .map((file) => {
      const variables = join(folder, file.replace('.graphql', '.variables.json'));
      return {
        file,
        query: readFileSync(join(folder, file), 'utf8'),
        ...(existsSync(variables) && {
          variables: withBrought(withDates(readFileSync(variables, 'utf8'), now), brought),
        }),
      };
    });
}

/** A written date would end one day, and its example with it: the files say `in 30 days`. */
const withDates = (variables: string, now: Date) =>
  variables.replace(/(?<=")in (\d+) days(?=")/g, (_, days) =>
    new Date(now.getTime() + Number(days) * 86_400_000).toISOString().replace(/\.\d+/, ''),
  );

const withBrought = (variables: string, brought: Brought | undefined) =>
  Object.entries(brought ?? {}).reduce(
    (text, [name, value]) =>
      text.replace(new RegExp(`("${name}": )"[^"]*…"`), (_, key) => `${key}${JSON.stringify(value)}`),
    variables,
  );

/** The name of an example's operation. */
export const nameOf = ({ query }: Example): string => /(?:query|mutation) (\w+)/.exec(query)?.[1] ?? '';

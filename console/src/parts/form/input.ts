/** What a form asks for at one name of an input. */
export type FormField = {
  /** What it is, in the words of the graph. */
  help: string;
  required: boolean;
} & (
  | { is: 'text'; secret: boolean; long: boolean; value?: string }
  | { is: 'number'; value?: number }
  | { is: 'flag'; value?: boolean }
  | { is: 'time' }
  | { is: 'duration' }
  | { is: 'lines'; value?: readonly string[] }
  | { is: 'choice'; values: Readonly<Record<string, string>>; value?: string }
  | { is: 'choices'; values: Readonly<Record<string, string>> }
  | { is: 'lookup' | 'lookups'; of: Looked; value?: readonly string[] }
  | { is: 'group'; form: string }
);

/** What can be looked for by a name. */
export type Looked = 'Account' | 'Project' | 'Role';

/** An input of the graph as a form. */
export interface InputForm {
  help: string;
  /** Whether exactly one of its fields is given. */
  oneOf: boolean;
  fields: Readonly<Record<string, FormField>>;
}

export type InputForms = Readonly<Record<string, InputForm>>;

/** What was filled in, as of a `FormData`: each field by its path, as `secret.password.username`. */
export type Filled = Pick<FormData, 'get' | 'getAll'>;

/**
 * @param path where the form stands; of a form of which one field is given, the name of that is filled in there
 * @returns the input that was filled in, without what was left empty; undefined where all was
 */
export function inputOf(
  forms: InputForms,
  name: string,
  filled: Filled,
  path: string,
): Record<string, unknown> | undefined {
  const { fields, oneOf }: Pick<InputForm, 'fields' | 'oneOf'> = forms[name] ?? { fields: {}, oneOf: false };
  const asked = oneOf ? [rawOf(filled, path)] : Object.keys(fields);
  const given = asked.flatMap((key): [string, unknown][] => {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (!field) return [];
    const value = valueOf(forms, field, filled, `${path}.${key}`);
    if (value !== undefined) return [[key, value]];
    // What one of several stands for counts also where nothing more is said of it.
    return oneOf ? [[key, {}]] : [];
  });
  return given.length > 0 ? Object.fromEntries(given) : undefined;
}

function valueOf(forms: InputForms, field: FormField, filled: Filled, path: string): unknown {
  const text = rawOf(filled, path);
  switch (field.is) {
    case 'group':
      return inputOf(forms, field.form, filled, path);
    case 'flag': {
      const isOn = text === 'true';
      return isOn === (field.value ?? false) ? undefined : isOn;
    }
    case 'lines': {
      const lines = text.split(/[\n,]/).flatMap((line) => line.trim() || []);
      return lines.length > 0 ? lines : undefined;
    }
    case 'choices':
    case 'lookups': {
      const chosen = filled.getAll(path).map(String);
      return chosen.length > 0 ? chosen : undefined;
    }
    case 'text':
      if (field.secret || field.long) return text === '' ? undefined : text;
      return text.trim() === '' ? undefined : text.trim();
    case 'number':
      return text === '' ? undefined : Number(text);
    case 'duration': {
      const unit = (rawOf(filled, unitPath(path)) || 'days') as DurationUnit;
      return text === '' ? undefined : durationOf(text, unit);
    }
    case 'time':
      return text === '' ? undefined : instantOf(text);
    default:
      return text === '' ? undefined : text;
  }
}

/** What a length of time is counted in. */
export type DurationUnit = 'minutes' | 'hours' | 'days';

/** Where the unit of a length of time stands, beside its number. */
export const unitPath = (path: string): string => `${path} unit`;

const durationOf = (count: string, unit: DurationUnit) =>
  unit === 'days' ? `P${count}D` : `PT${count}${unit === 'hours' ? 'H' : 'M'}`;

/** @returns a name of the graph as words: `secretKey` as `Secret key`. */
export function wordsOf(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/_/g, ' ')
    .replace(/\b(api|id|ids|ips|sts|mfa|arn|ssh|aws)\b/g, (word) =>
      word.endsWith('s') && word !== 'sts' && word !== 'aws'
        ? `${word.slice(0, -1).toUpperCase()}s`
        : word.toUpperCase(),
    );
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @returns what was typed, or undefined where nothing was. */
export function textOf(filled: Filled, name: string): string | undefined {
  return rawOf(filled, name).trim() || undefined;
}

/** As the graph writes times; `otherwise` for what is none, which Keyway then says. */
export function instantOf(text: string, otherwise = text): string {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? otherwise : time.toISOString();
}

/** As it was typed; a file is none of what a form here asks for. */
export function rawOf(filled: Filled, path: string): string {
  const value = filled.get(path);
  return typeof value === 'string' ? value : '';
}

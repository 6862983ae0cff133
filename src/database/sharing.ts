import { isBadValue, type Database, type Parameters, type ReadRow, type Statement } from './database.js';
import { Lane, openWire, type Wire } from './gather.js';
import { joined } from './joined.js';

// Requests that come at the same time ask the same statements, with other keys. Here they are sent as one: the number of
// statements is what a request costs PostgreSQL and the connection most. Requests share a statement where all else that
// they give it is equal, their caller's scope above all: so what comes back for a key is what each of them may see. What
// is sent was asked for before, and nothing of it is kept.

/** A statement and all that is given to it but the keys. */
export interface Shareable {
  readonly statement: Statement;
  readonly parameters: Parameters;
}

/** Who is in so many places asks alone: telling such scopes apart takes longer than the statement. */
const mostPlaces = 100;

/**
 * Answers keys in their order, by one statement for all requests that ask for it in the same turn of the event loop.
 * What is read so leaves some of the connections of a database to others.
 * @param read reads for all of them, and must not wait for what is shared itself
 * @param mostKeys how many keys of several requests go together
 */
export function shared<Key, Found>(
  db: Database,
  { statement, parameters }: Shareable,
  read: (db: Database, keys: readonly Key[]) => Promise<readonly Found[]>,
  keys: readonly Key[],
  mostKeys: number,
): Promise<readonly Found[]> {
  const scope = scopeOf(parameters);
  if (scope === undefined) return read(db, keys);
  const { lanes, wire } = sharedOn(db);
  const name = `${db.numberOf(statement)} ${scope}`;
  const ask = () => {
    const known = lanes.get(name) as Lane<Key, Found> | undefined;
    const onIdle = () => void lanes.delete(name);
    const options = { wire, mostKeys, isOfKeys: isBadValue, onIdle };
    const lane = known ?? new Lane<Key, Found>((all) => read(db.unlimited, all), options);
    lanes.set(name, lane as Lane<unknown, unknown>);
    return lane.ask(keys);
  };
  return db.during(ask);
}

/** A statement with the parameter `ids`, and the column of its rows that tells which of them a row belongs to. */
export interface ById extends Shareable {
  readonly by: 'id' | 'of';
}

/**
 * The rows that belong to each of these ids, by one statement for whatever is asked for by ids in the same turn of the
 * event loop: other ids, and other statements too. Values are as JSON has them.
 */
export async function rowsById(
  db: Database,
  asked: ById,
  ids: readonly string[],
): Promise<readonly (readonly ReadRow[])[]> {
  const scope = scopeOf(asked.parameters);
  if (scope === undefined) return (await readTogether(db, [{ ...asked, name: '', ids }]))[0] ?? [];
  const name = `${db.numberOf(asked.statement)} ${scope}`;
  const [rows] = await db.during(() => sharedOn(db).together.ask([{ ...asked, name, ids }]));
  return rows ?? [];
}

interface AskedById extends ById {
  /** Equal for what differs in its ids alone. */
  readonly name: string;
  readonly ids: readonly string[];
}

/** How many ids go together: what is more would hold up those who ask for few. */
const mostTogether = 1_000;

async function readTogether(
  db: Database,
  asked: readonly AskedById[],
): Promise<readonly (readonly (readonly ReadRow[])[])[]> {
  const groups = new Map<string, { first: AskedById; rows: Map<string, ReadRow[]> }>();
  for (const one of asked) {
    const group = groups.get(one.name) ?? { first: one, rows: new Map<string, ReadRow[]>() };
    groups.set(one.name, group);
    for (const id of one.ids) group.rows.set(id, []);
  }
  const found = await joined(
    db,
    [...groups.values()].map(({ first: { statement, parameters }, rows }) => ({
      statement,
      parameters: { ...parameters, ids: [...rows.keys()] },
    })),
  );
  [...groups.values()].forEach(({ first, rows }, index) => {
    // Several requests may be given the same one.
    for (const row of found[index] ?? []) rows.get(String(row[first.by]))?.push(Object.freeze(row));
  });
  return asked.map(({ name, ids }) => ids.map((id) => groups.get(name)?.rows.get(id) ?? []));
}

interface SharedOn {
  readonly lanes: Map<string, Lane<unknown, unknown>>;
  readonly together: Lane<AskedById, readonly (readonly ReadRow[])[]>;
  readonly wire: Wire;
}

const sharedBy = new WeakMap<Database, SharedOn>();

function sharedOn({ unlimited }: Database): SharedOn {
  const known = sharedBy.get(unlimited);
  if (known) return known;
  const wire = openWire(unlimited.mostShared);
  const options = {
    wire,
    mostKeys: mostTogether,
    weigh: ({ ids }: AskedById) => ids.length,
    isOfKeys: isBadValue,
  };
  const together = new Lane<AskedById, readonly (readonly ReadRow[])[]>(
    (asked) => readTogether(unlimited, asked),
    options,
  );
  const made = { lanes: new Map<string, Lane<unknown, unknown>>(), together, wire };
  sharedBy.set(unlimited, made);
  return made;
}

/** Equal for equal parameters; undefined where there are too many of them. */
function scopeOf(parameters: Parameters): string | undefined {
  let places = 0;
  for (const value of Object.values(parameters)) places += Array.isArray(value) ? value.length : 1;
  return places > mostPlaces ? undefined : JSON.stringify(parameters);
}

import { expectData, unique } from '../../support/make.js';
import type { Answer, Door } from '../../support/server.js';
import type { Match } from '../../upstreams/stand-in.js';
import { writesTo, type Shown, type Spot, type Vendor } from './vendors.js';

type Verb = 'create' | 'rotate' | 'update' | 'revoke';
type Input = Record<string, unknown>;

/** A write to a store, and where in it the process is to die. */
export interface Step {
  verb: Verb;
  vendor: () => Promise<Vendor>;
  /** The request to stand still, and whether its work is done then; without it, the caller has its answer. */
  at?: { when: 'before' | 'after'; match?: Match };
  /** Whether the caller has its answer before the request to stand still. */
  answered?: boolean;
  /** Whether Keyway repeats it only where the caller asks again, as it could put an old secret back. */
  askedAgain?: boolean;
  grace?: string;
  ends: 'done' | 'switched' | 'unknown';
}

/** What there is to see of a credential, besides its secret. */
export interface Seen {
  id: string;
  status: string;
  fullName: string | null;
  versions: { number: number; state: string; accessKey: string | null }[];
  rotation: { state: string } | null;
  auditEvents: { nodes: { action: string; code: string | null }[] };
}

const fields = `id status fullName versions { number state accessKey } rotation { state }
  auditEvents(first: 50) { nodes { action code } }`;
const shown = 'accessKey secret keys { name value }';

/** One write to one store, done anew in each round to a credential of its own. */
export class Trial {
  #spot: Spot | undefined;
  #id: string | undefined;
  #input: Input = {};
  #sent: Promise<unknown> = Promise.resolve();
  door: Door;

  private constructor(
    readonly name: string,
    readonly step: Step,
    readonly vendor: Vendor,
    private readonly account: string,
    private readonly store: string,
    door: Door,
  ) {
    this.door = door;
  }

  static async open(name: string, step: Step, door: Door, account: string): Promise<Trial> {
    const vendor = await step.vendor();
    const answer = await door.ask(
      'mutation ($input: CreateStoreInput!) { createStore(input: $input) { store { id } } }',
      { input: { account, name: unique('store'), connection: vendor.connection } },
    );
    return new Trial(name, step, vendor, account, expectData(answer).createStore.store.id, door);
  }

  get spot(): Spot {
    if (!this.#spot) throw new Error('prepare comes first');
    return this.#spot;
  }

  get isSecretKept(): boolean {
    return this.step.verb === 'update' || (this.step.verb === 'rotate' && !this.isReplaced);
  }

  /** Whether the vendor makes a secret and ends the one before at once. */
  get isReplaced(): boolean {
    const { connection } = this.vendor;
    return 'veracode' in connection || 'landscape' in connection;
  }

  /** Makes the credential that is written to, where it is not the write that makes it. */
  async prepare(): Promise<void> {
    const { step, vendor, account, store } = this;
    const spot = vendor.spot();
    this.#spot = spot;
    this.#id = undefined;
    const place = { account, store, ...spot.create };
    if (step.verb !== 'create') this.#id = expectData(await this.#run('create', place)).done.credential.id;
    const { grace: gracePeriod } = step;
    const inputs: Record<Verb, Input> = {
      create: place,
      rotate: { ...spot.rotate, ...(gracePeriod !== undefined && { gracePeriod }) },
      update: { fullName: 'Changed' },
      revoke: {},
    };
    this.#input = { idempotencyKey: unique('key'), ...(this.#id && { id: this.#id }), ...inputs[step.verb] };
  }

  /** The same write once more, to the same credential: another request. */
  prepareAgain(): void {
    this.#input = { ...this.#input, idempotencyKey: unique('key') };
  }

  /** Sends the write and waits until it stands where the process is to die. */
  async park(): Promise<void> {
    const { at, verb, answered } = this.step;
    const { standIn, writes } = this.vendor;
    const match = at?.match ?? writes[verb];
    // What stands before its work must not be done after all, once nobody waits for it any more.
    if (at?.when === 'before') standIn.meet({ kind: 'refuse' }, match);
    const standing = at ? standIn.hold(at.when, match) : undefined;
    const sent = this.send();
    this.#sent = sent.catch(() => undefined);
    if (!at || answered) expectData(await sent);
    await standing;
  }

  /** Once the process is dead: lets go of what waits for it. */
  async bury(): Promise<void> {
    this.vendor.standIn.clear();
    await this.#sent;
  }

  /** The write, with its idempotency key: the same each time. */
  send(): Promise<Answer> {
    return this.#run(this.step.verb, this.#input);
  }

  /** A rotation by hand, of what is lost. */
  heal(id: string): Promise<Answer> {
    return this.#run('rotate', { id, ...this.spot.rotate });
  }

  /** Whether the vendor lists nothing of what it has. */
  get isUnlisted(): boolean {
    return 'veracode' in this.vendor.connection;
  }

  /** Whether what the vendor has goes by the access key of each secret. */
  get isKeyed(): boolean {
    const { connection } = this.vendor;
    return 'ncloud' in connection || 'landscape' in connection;
  }

  accepts(shown: Shown | null): boolean {
    return shown !== null && this.vendor.accepts(shown);
  }

  writes(): number {
    return writesTo(this.vendor);
  }

  /** All secrets of the credential that Keyway shows. */
  async revealed(id = this.#id): Promise<Shown[]> {
    const answer = await this.door.ask(
      `mutation ($id: ID!) { revealCredential(input: { id: $id }) { issued { ${shown} } other { ${shown} } } }`,
      { id },
    );
    const { issued, other } = expectData(answer).revealCredential;
    return [issued, other].filter((one) => one !== null);
  }

  /** The credential; the newest of its name, where it was to be made and nobody was told its id. */
  async seen(): Promise<Seen> {
    const { create } = this.spot;
    if (this.#id) {
      const text = `query ($id: ID!) { node(id: $id) { ... on Credential { ${fields} } } }`;
      return expectData(await this.door.ask(text, { id: this.#id })).node;
    }
    const text = `query ($store: ID!, $text: String!) {
      credentials(filter: { store: [$store], search: $text }) { nodes { name ${fields} } } }`;
    const { nodes } = expectData(
      await this.door.ask(text, { store: this.store, text: create['name'] }),
    ).credentials;
    return nodes.find(({ name }: { name: string }) => name === create['name']);
  }

  #run(verb: Verb, input: Input): Promise<Answer> {
    const mutation = `${verb}Credential`;
    const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input!`;
    const issued = verb === 'create' || verb === 'rotate' ? `issued { ${shown} }` : '';
    return this.door.ask(
      `mutation ($input: ${type}) { done: ${mutation}(input: $input) { credential { id } ${issued} } }`,
      { input },
    );
  }
}

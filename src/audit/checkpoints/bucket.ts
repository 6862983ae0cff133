import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import type { CheckpointsAt } from '../../config/checkpoints-at.js';
import { newId } from '../../ids.js';
import { byBytes } from '../append-lines.js';
import { readLine, type GenerationSeal } from './line.js';
import {
  isMonth,
  type CheckpointPlace,
  type Mark,
  type MonthLines,
  type ReadLines,
  type Segment,
} from './place.js';

/**
 * A bucket of S3, or of what speaks like it, below a prefix: `<generation>/<month>/<time>-<writer>.jsonl`. What was written is
 * never written again, so that a bucket with versions and locks keeps all of it. The role needs ListBucket, GetObject and
 * PutObject; with DeleteObject small objects are made into larger ones, and months are let go.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
export class CheckpointBucket implements CheckpointPlace {
  readonly #client: S3Client;
  readonly #writer = newId().slice(-12);
  #count = 0;
  /** What this process has written in small objects that lie there still. */
  #small: { key: string; lines: readonly string[] }[] = [];
  #generation: number | undefined;

  private constructor(
    readonly name: string,
    private readonly bucket: string,
    private readonly prefix: string,
    pathStyle: boolean,
  ) {
    // Where credentials and region come from is up to the environment, as with all of AWS's own tools.
    this.#client = new S3Client({
      forcePathStyle: pathStyle,
      maxAttempts: 3,
      requestHandler: {
        connectionTimeout: 2_000,
        requestTimeout: 5_000,
        throwOnRequestTimeout: true,
        // Also of what comes after the headers.
        socketTimeout: 5_000,
      },
    });
  }

  /**
   * @param setting the variable that names the bucket
   * @throws an Error to show, where it cannot be read
   */
  static async open(setting: string, { bucket, prefix, pathStyle }: BucketAt): Promise<CheckpointBucket> {
    const place = new CheckpointBucket(`s3://${bucket}/${prefix}`, bucket, prefix, pathStyle);
    try {
      await place.#list('', { delimiter: '/' });
      return place;
    } catch (error) {
      await place.close();
      // Its message may hold an address or an account.
      const { name } = error as Error;
      throw new Error(`Keyway cannot start:\n  ${setting} names a bucket that cannot be read (${name})`, {
        cause: error,
      });
    }
  }

  async segments(seal: GenerationSeal): Promise<Segment[]> {
    const generation = (this.#generation = await this.#newest(seal));
    const folder = folderOfGeneration(generation);
    const { folders } = await this.#list(folder, { delimiter: '/' });
    return folders
      .map((month) => month.slice(folder.length, -1))
      .filter(isMonth)
      .sort()
      .map((month) => ({ name: month, month, identity: String(generation) }));
  }

  /** The highest generation that was begun by whoever has these keys. */
  async #newest(seal: GenerationSeal): Promise<number> {
    const { folders } = await this.#list('', { delimiter: '/' });
    const numbers = folders.flatMap((folder) => (/^\d{6}\/$/.test(folder) ? Number(folder.slice(0, 6)) : []));
    for (const number of numbers.sort((one, other) => other - one))
      if (seal.fits(number, await this.#get(`${folderOfGeneration(number)}${begunName}`))) return number;
    return firstGeneration;
  }

  async *read({ month, identity }: Segment, after?: Mark): AsyncGenerator<ReadLines> {
    const folder = `${folderOfGeneration(Number(identity))}${month}/`;
    const since = after === undefined ? '' : timeText(Number(after.after) - longestLateMs);
    const { keys } = await this.#list(folder, { startAfter: `${folder}${since}` });
    const seen = new Set(keys);
    const newest = keys.reduce((most, key) => Math.max(most, timeOf(key)), Number(after?.after ?? 0));
    // A writer whose clock is ahead hides nobody who comes after it.
    const to: Mark = { after: String(Math.min(newest, Date.now())), seen };
    const news = keys.filter((key) => !after?.seen?.has(key));
    for (let first = 0; first < news.length; first += objectsAtOnce) {
      const some = news.slice(first, first + objectsAtOnce);
      for (const text of await Promise.all(some.map((key) => this.#get(key))))
        yield { lines: text.split('\n').filter(Boolean).map(readLine), to };
    }
    if (news.length === 0) yield { lines: [], to };
  }

  async append(month: string, lines: readonly string[]): Promise<string> {
    const generation = this.#generation;
    if (generation === undefined) throw new Error('which generation is written is not known yet');
    for (const part of byBytes(lines, mostBytes)) {
      const key = `${folderOfGeneration(generation)}${month}/${this.#nextName()}`;
      await this.#put(key, part);
      this.#small.push({ key, lines: part });
    }
    if (this.#small.length >= mostSmall) await this.#gather().catch(() => undefined);
    return String(generation);
  }

  /** Puts the lines of small objects into one, and lets those go. What is there twice until then does no harm. */
  async #gather(): Promise<void> {
    const small = this.#small;
    this.#small = [];
    for (const folder of new Set(small.map(({ key }) => folderOf(key)))) {
      const own = small.filter(({ key }) => folderOf(key) === folder);
      for (const part of byBytes(
        own.flatMap(({ lines }) => lines),
        mostBytes,
      ))
        await this.#put(`${folder}/${this.#nextName()}`, part);
      await this.#delete(own.map(({ key }) => key));
    }
  }

  async begin(
    lines: AsyncIterable<MonthLines>,
    seal: GenerationSeal,
    record: () => Promise<void>,
  ): Promise<string[]> {
    const before = await this.#newest(seal);
    const next = before + 1;
    const folder = folderOfGeneration(next);
    // Of one that was not brought to its end.
    await this.#delete((await this.#list(folder)).keys);
    for await (const { month, lines: all } of lines)
      for (const part of byBytes(all, mostBytes))
        await this.#put(`${folder}${month}/${this.#nextName()}`, part);
    await record();
    await this.#put(`${folder}${begunName}`, seal.of(next));
    this.#generation = next;
    this.#small = [];
    return [`${this.name}${folderOfGeneration(before)}`];
  }

  async remove({ month, identity }: Segment): Promise<void> {
    const { keys } = await this.#list(`${folderOfGeneration(Number(identity))}${month}/`);
    await this.#delete(keys);
  }

  close(): Promise<void> {
    this.#client.destroy();
    return Promise.resolve();
  }

  #nextName(): string {
    return `${timeText(Date.now())}-${this.#writer}-${String(++this.#count).padStart(6, '0')}.jsonl`;
  }

  async #put(key: string, what: readonly string[] | string): Promise<void> {
    const Body = typeof what === 'string' ? what : what.map((line) => `${line}\n`).join('');
    await this.#client.send(
      new PutObjectCommand({
        Bucket: this.bucket,
        Key: `${this.prefix}${key}`,
        Body,
        ContentType: 'application/x-ndjson',
      }),
    );
  }

  /** The text of an object; none where it was gathered into another one meanwhile. */
  async #get(key: string): Promise<string> {
    try {
      const { Body } = await this.#client.send(
        new GetObjectCommand({ Bucket: this.bucket, Key: `${this.prefix}${key}` }),
      );
      return (await Body?.transformToString('utf8')) ?? '';
    } catch (error) {
      if (error instanceof S3ServiceException && error.name === 'NoSuchKey') return '';
      throw error;
    }
  }

  /** What is there below a folder: keys, and folders where a delimiter is given. */
  async #list(
    folder: string,
    { delimiter, startAfter }: { delimiter?: string; startAfter?: string } = {},
  ): Promise<{ keys: string[]; folders: string[] }> {
    const found = { keys: [] as string[], folders: [] as string[] };
    const own = (key = '') => key.slice(this.prefix.length);
    let token: string | undefined;
    do {
      const page = await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.bucket,
          Prefix: `${this.prefix}${folder}`,
          ...(delimiter && { Delimiter: delimiter }),
          ...(startAfter && { StartAfter: `${this.prefix}${startAfter}` }),
          ...(token && { ContinuationToken: token }),
        }),
      );
      found.keys.push(...(page.Contents ?? []).map(({ Key }) => own(Key)));
      found.folders.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => own(Prefix)));
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return found;
  }

  async #delete(keys: readonly string[]): Promise<void> {
    for (let first = 0; first < keys.length; first += deletedAtOnce)
      await this.#client
        .send(
          new DeleteObjectsCommand({
            Bucket: this.bucket,
            Delete: {
              Objects: keys
                .slice(first, first + deletedAtOnce)
                .map((key) => ({ Key: `${this.prefix}${key}` })),
              Quiet: true,
            },
          }),
        )
        .catch((error: unknown) => {
          if ((error as Error).name !== 'AccessDenied') throw error;
        });
  }
}

type BucketAt = Extract<CheckpointsAt, { kind: 's3' }>;

const firstGeneration = 1;
const folderOfGeneration = (generation: number): string => `${String(generation).padStart(6, '0')}/`;
const begunName = 'begun';
const mostBytes = 4 << 20;
const mostSmall = 200;
const objectsAtOnce = 16;
/** The most that DeleteObjects takes. */
const deletedAtOnce = 1_000;
/** A writer's clock may be so far behind another's, and a write may take so long. */
const longestLateMs = 600_000;

const timeText = (ms: number): string => new Date(Math.max(0, ms)).toISOString();
const folderOf = (key: string): string => key.slice(0, key.lastIndexOf('/'));

/** When an object was written, in milliseconds, by its name. */
const timeOf = (key: string): number => Date.parse(key.slice(key.lastIndexOf('/') + 1).slice(0, 24)) || 0;

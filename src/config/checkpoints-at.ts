import { readDatabaseUrl } from './database-url.js';

/** Where the checkpoints of the audit log lie. */
export type CheckpointsAt =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      /** Empty, or ends with a slash. */
      readonly prefix: string;
      /** Whether it is at an endpoint of one's own, where a bucket has no name in the DNS. */
      readonly pathStyle: boolean;
    };

/**
 * Reads an address such as s3://bucket/prefix or postgres://user@host/database; undefined where it is that of neither, and
 * so that of a folder.
 */
export function readCheckpointsAt(
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): CheckpointsAt | 'fault' | undefined {
  if (/^postgres(ql)?:/i.test(text)) return { kind: 'postgres', url: text };
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return undefined;
  const [, bucket, path = ''] =
    /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([\w!.*'()/-]{0,500}))?$/.exec(text) ?? [];
  if (bucket === undefined) return 'fault';
  const prefix = path.replace(/\/+$/, '');
  // https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
  const pathStyle = Boolean(environment['AWS_ENDPOINT_URL_S3'] ?? environment['AWS_ENDPOINT_URL']);
  return { kind: 's3', bucket, prefix: prefix === '' ? '' : `${prefix}/`, pathStyle };
}

/** Whether two addresses lead to one database, as far as they say. @throws DatabaseUrlError for what is none */
export function isSameDatabase(one: string, other: string): boolean {
  const [first, second] = [one, other].map((url) => {
    const { host = 'localhost', port = 5432, user = '', database = user } = readDatabaseUrl(url);
    return `${host === '127.0.0.1' || host === '::1' ? 'localhost' : host.toLowerCase()}:${port}/${database}`;
  });
  return first === second;
}

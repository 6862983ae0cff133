import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An object store that speaks as much of S3 as is asked of it. */
export interface ObjectStore {
  /** What a process needs to find it. */
  readonly environment: Record<string, string>;
  /** Every object, by bucket and key. */
  readonly objects: Map<string, Buffer>;
  /** Requests by their verbs, such as `GET list`. */
  readonly asked: string[];
  /** Answers instead of the store, where it returns something. */
  refuse: (verb: string) => { status: number; code: string } | undefined;
  stop(): Promise<void>;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html, by path */
export async function startObjectStore(): Promise<ObjectStore> {
  const objects = new Map<string, Buffer>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const verb = verbOf(request.method ?? '', url);
      asked.push(verb);
      const refused = store.refuse(verb);
      if (refused) answer(response, refused.status, `<Error><Code>${refused.code}</Code></Error>`);
      else serve(objects, verb, url, body, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const store: ObjectStore = {
    environment: environmentOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    objects,
    asked,
    refuse: () => undefined,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return store;
}

export const environmentOf = (endpoint: string): Record<string, string> => ({
  AWS_ENDPOINT_URL_S3: endpoint,
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
});

function verbOf(method: string, url: URL): string {
  if (url.searchParams.has('list-type')) return 'GET list';
  return url.searchParams.has('delete') ? 'POST delete' : method;
}

function serve(
  objects: Map<string, Buffer>,
  verb: string,
  url: URL,
  body: Buffer,
  response: ServerResponse,
): void {
  const path = decodeURIComponent(url.pathname.slice(1));
  if (verb === 'GET list') return answer(response, 200, listed(objects, path.replace(/\/$/, ''), url));
  if (verb === 'POST delete') {
    const keys = [...body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => key);
    for (const key of keys) objects.delete(`${path.replace(/\/$/, '')}/${key}`);
    return answer(response, 200, '<DeleteResult></DeleteResult>');
  }
  if (verb === 'PUT') {
    objects.set(path, body);
    return answer(response, 200, '');
  }
  const found = objects.get(path);
  if (found) response.end(found);
  else answer(response, 404, '<Error><Code>NoSuchKey</Code></Error>');
}

/** Two keys a page, so that no list is read in one. */
const pageSize = 2;

function listed(objects: Map<string, Buffer>, bucket: string, url: URL): string {
  const asked = (name: string) => url.searchParams.get(name) ?? '';
  const [prefix, delimiter] = [asked('prefix'), asked('delimiter')];
  const after = asked('continuation-token') || asked('start-after');
  const groups = new Set<string>();
  for (const path of objects.keys()) {
    if (!path.startsWith(`${bucket}/${prefix}`)) continue;
    const key = path.slice(bucket.length + 1);
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    groups.add(end < 0 ? key : key.slice(0, end + 1));
  }
  const names = [...groups].sort().filter((name) => name > after);
  const page = names.slice(0, pageSize);
  const isFolder = (name: string) => delimiter !== '' && name.endsWith(delimiter);
  return [
    '<ListBucketResult>',
    ...page.map((name) =>
      isFolder(name)
        ? `<CommonPrefixes><Prefix>${name}</Prefix></CommonPrefixes>`
        : `<Contents><Key>${name}</Key></Contents>`,
    ),
    names.length > pageSize
      ? `<IsTruncated>true</IsTruncated><NextContinuationToken>${page.at(-1)}</NextContinuationToken>`
      : '<IsTruncated>false</IsTruncated>',
    '</ListBucketResult>',
  ].join('');
}

function answer(response: ServerResponse, status: number, xml: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(xml && `<?xml version="1.0" encoding="UTF-8"?>${xml}`);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

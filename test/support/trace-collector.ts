import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as a collector receives it. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  name: string;
  kind: number;
  attributes: Record<string, unknown>;
  status: number;
  /** When it began and ended, in milliseconds since 1970. */
  fromMs: number;
  untilMs: number;
}

/** A collector of OpenTelemetry: OTLP over HTTP, with JSON (https://opentelemetry.io/docs/specs/otlp/#otlphttp). */
export interface TestCollector {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** All that came, as it came. */
  readonly bodies: string[];
  readonly headers: IncomingHttpHeaders[];
  /** How it answers: 200 where undefined; «hang» answers nothing until it is another one. */
  answer: number | 'hang' | undefined;
  stop(): Promise<void>;
}

interface Payload {
  resourceSpans: {
    scopeSpans: {
      spans: (Pick<ReceivedSpan, 'traceId' | 'spanId' | 'name' | 'kind'> & {
        parentSpanId?: string;
        startTimeUnixNano: string;
        endTimeUnixNano: string;
        attributes: { key: string; value: Record<string, unknown> }[];
        status: { code?: number };
      })[];
    }[];
  }[];
}

const spansIn = (body: string): ReceivedSpan[] =>
  (JSON.parse(body) as Payload).resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ traceId, spanId, parentSpanId, name, kind, attributes, status, ...times }) => ({
        traceId,
        spanId,
        // An empty one is none.
        parentSpanId: parentSpanId || undefined,
        name,
        kind,
        attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]])),
        status: status.code ?? 0,
        fromMs: Number(times.startTimeUnixNano) / 1e6,
        untilMs: Number(times.endTimeUnixNano) / 1e6,
      })),
    ),
  );

export async function startCollector(): Promise<TestCollector> {
  const hanging: ServerResponse[] = [];
  let answer: TestCollector['answer'];
  const collector = {
    url: '',
    spans: [] as ReceivedSpan[],
    bodies: [] as string[],
    headers: [] as IncomingHttpHeaders[],
    get answer() {
      return answer;
    },
    set answer(now: TestCollector['answer']) {
      answer = now;
      if (now !== 'hang') for (const one of hanging.splice(0)) one.writeHead(now ?? 200).end('{}');
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (request.method !== 'POST' || request.url !== '/v1/traces')
        return void response.writeHead(404).end();
      const body = Buffer.concat(chunks).toString();
      collector.headers.push(request.headers);
      collector.bodies.push(body);
      collector.spans.push(...spansIn(body));
      if (answer === 'hang') hanging.push(response);
      else response.writeHead(answer ?? 200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  collector.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return collector;
}

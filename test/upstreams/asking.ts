/** An answer as it came. */
export interface Got {
  status: number;
  /** Read as JSON; undefined where there is none. */
  body: any; // eslint-disable-line @typescript-eslint/no-explicit-any -- each test knows what it asked for
  text: string;
}

/** Asks one server: an object is sent as JSON, a text as a form. */
export type Ask = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Got>;

/** A caller of the server at this address, with these headers beside those of each call. */
export const asking =
  (url: string, always: Record<string, string> = {}): Ask =>
  async (method, path, body, headers = {}) => {
    const isForm = typeof body === 'string';
    const type = isForm ? 'application/x-www-form-urlencoded' : 'application/json';
    const response = await fetch(url + path, {
      method,
      headers: { ...(body !== undefined && { 'content-type': type }), ...always, ...headers },
      body: body === undefined ? null : isForm ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type') === 'application/json';
    return { status: response.status, body: isJson ? (JSON.parse(text) as unknown) : undefined, text };
  };

import { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { ServiceError } from './service-error';

/** One request, read to its end. */
export interface HttpRequest {
  /** Their names in lower case. */
  readonly headers: IncomingHttpHeaders;
  readonly method: string;
  /** Path as sent: percent-encoding untouched. */
  readonly path: string;
  readonly query: Record<string, string | string[]>;
  readonly body: string;
}

/** What to answer; `drop` closes the connection without a word. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly drop?: boolean;
}

export const GATEWAY_502: HttpAnswer = {
  status: 502,
  headers: { 'content-type': 'text/html' },
  body: '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n',
};

export async function readRequest(raw: IncomingMessage): Promise<HttpRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of raw) {
    chunks.push(chunk as Buffer);
  }
  const [path, search = ''] = (raw.url ?? '/').split(/\?(.*)/s);
  const query: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(search)) {
    const before = query[name];
    query[name] = before === undefined ? value : [before, value].flat();
  }
  return { headers: raw.headers, method: raw.method ?? 'GET', path, query, body: Buffer.concat(chunks).toString() };
}

export function parseJson(body: string): Record<string, any> {
  if (body.trim() === '') {
    return {};
  }
  try {
    return JSON.parse(body);
  } catch {
    throw new ServiceError('SerializationException', 'The request body is not valid JSON');
  }
}

export function json(status: number, document: unknown, headers: Record<string, string> = {}): HttpAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: document === undefined ? undefined : JSON.stringify(document) };
}

export function errorAnswer(error: ServiceError): HttpAnswer {
  return json(error.status, error.body(), {
    'x-amzn-errortype': error.type,
    ...(error.retryAfterSeconds === undefined ? {} : { 'retry-after': String(error.retryAfterSeconds) }),
  });
}

export function send(response: ServerResponse, answer: HttpAnswer): void {
  if (answer.drop) {
    response.destroy();
    return;
  }
  response.writeHead(answer.status, { 'x-amzn-requestid': crypto.randomUUID(), ...answer.headers });
  response.end(answer.body);
}

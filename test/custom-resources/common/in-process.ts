import { Fetch } from '../../../src/custom-resources/microvm-smoke-test/handler/sdk-adapter';
import { HttpAnswer, HttpRequest } from '../../simulator/http-exchange';

/** What is used of an SDK client; its protocol writes requests and reads answers. */
interface SdkClient {
  readonly config: {
    readonly defaultSigningName: string;
    readonly region: () => Promise<string>;
    readonly protocol: {
      serializeRequest(operation: object, input: unknown, context: object): Promise<SdkRequest>;
      deserializeResponse(operation: object, context: object, response: object): Promise<unknown>;
    };
  };
  send(command: SdkCommand): Promise<unknown>;
}
interface SdkCommand { readonly input: unknown; readonly schema: readonly [number, string, string, unknown, unknown, unknown] }
interface SdkRequest {
  readonly method: string;
  readonly path: string;
  readonly query?: HttpRequest['query'];
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array;
}

const DECODER = new TextDecoder();
const TOKEN = { getRetryCount: () => 0, getRetryDelay: () => 0 };
/** They would take real time, and hide from a handler what it must live with. */
export const NO_RETRIES = {
  mode: 'standard',
  acquireInitialRetryToken: async () => TOKEN,
  refreshRetryTokenForRetry: async () => { throw new Error('no retries'); },
  recordSuccess: () => undefined,
};

/**
 * Lets the SDK clients of an adapter ask a service of this process. Requests and answers are written and read by the SDK's own
 * protocols; sockets, retries and signatures, which cost most of a call, are left out. The lifecycle tests have them all.
 */
export function inProcess<A extends object>(adapter: A, ask: (request: HttpRequest) => Promise<HttpAnswer>): A {
  for (const client of Object.values(adapter).filter(isClient)) {
    const { config, config: { protocol } } = client;
    const context = { ...config, endpoint: async () => ({ protocol: 'http:', hostname: '127.0.0.1', path: '/' }) };
    client.send = async ({ input, schema: [, namespace, name, traits, of, to] }) => {
      const operation = { namespace, name, traits, input: of, output: to };
      const { method, path, query = {}, headers, body = '' } = await protocol.serializeRequest(operation, input, context);
      const answer = await ask({
        method,
        path,
        query,
        headers: { ...headers, authorization: `AWS4-HMAC-SHA256 Credential=test/20261127/${await config.region()}/${config.defaultSigningName}/aws4_request` },
        body: typeof body === 'string' ? body : DECODER.decode(body),
      });
      connected(answer);
      return protocol.deserializeResponse(operation, context, {
        statusCode: answer.status, headers: answer.headers ?? {}, body: Buffer.from(answer.body ?? ''),
      });
    };
  }
  return adapter;
}

/** `fetch` from the endpoints of MicroVMs, likewise. */
export function endpointsInProcess(simulator: { handleAt(host: string, request: HttpRequest): Promise<HttpAnswer> }): Fetch {
  return async (url, { method = 'GET', headers = {} }) => {
    const { host, pathname } = new URL(url);
    const lowerCase = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
    const answer = await simulator.handleAt(host, { method, path: pathname, query: {}, headers: lowerCase, body: '' });
    connected(answer);
    return new Response(answer.body, { status: answer.status, headers: answer.headers });
  };
}

function connected({ drop }: HttpAnswer): void {
  if (drop) {
    throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
  }
}

function isClient(value: unknown): value is SdkClient {
  return typeof value === 'object' && value !== null && 'middlewareStack' in value;
}

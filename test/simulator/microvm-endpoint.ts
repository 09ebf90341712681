import { createServer, IncomingMessage, Server, ServerResponse } from 'node:http';
import { AddressInfo } from 'node:net';

/** A request as the app inside the MicroVM sees it: the proxy's own headers are stripped (11.1). */
export interface ScriptedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly port: number;
  readonly microvmId: string;
  readonly imageName: string;
  readonly imageVersion: string;
}

export interface ScriptedResponse {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** Plays the app of a MicroVM. */
export type Responder = (request: ScriptedRequest) => ScriptedResponse | Promise<ScriptedResponse>;

/** What the proxy in front of a MicroVM needs to know. */
export interface ProxyGate {
  /** False when the MicroVM was launched with NO_INGRESS. */
  readonly reachable: boolean;
  /** Brings the MicroVM up to date; true when it can serve, after an automatic resume if need be. */
  admit(): boolean;
  check(token: string, port: number): 'ok' | 'bad-token' | 'bad-port';
  respond(request: Pick<ScriptedRequest, 'method' | 'path' | 'headers' | 'body' | 'port'>): Promise<ScriptedResponse>;
}

const DEFAULT_PORT = 8080;

/** The HTTPS endpoint of one MicroVM, here plain HTTP on a loopback port of its own. */
export class MicrovmEndpoint {
  public static async open(gate: ProxyGate): Promise<MicrovmEndpoint> {
    const server = createServer((request, response) => {
      serve(gate, request, response).catch(() => response.destroy());
    });
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return new MicrovmEndpoint(server, `127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  private constructor(private readonly server: Server, public readonly host: string) {
  }

  public async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }
}

async function serve(gate: ProxyGate, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) {
    chunks.push(chunk as Buffer);
  }
  if (!gate.reachable) {
    request.socket.destroy();
    return;
  }
  const wanted = request.headers['x-aws-proxy-port'];
  const port = wanted === undefined ? DEFAULT_PORT : Number(wanted);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    return answer(response, 400, 'Invalid port');
  }
  const token = request.headers['x-aws-proxy-auth'];
  if (token === undefined) {
    return answer(response, 403, 'Request missing authentication');
  }
  const verdict = gate.check(String(token), port);
  if (verdict !== 'ok') {
    return answer(response, 403, verdict === 'bad-port' ? 'Access to port denied' : 'Token authentication failed');
  }
  if (!gate.admit()) {
    return answer(response, 502, '');
  }
  const headers = Object.fromEntries(Object.entries(request.headers)
    .filter(([name]) => !name.startsWith('x-aws-proxy-'))
    .map(([name, value]) => [name, String(value)]));
  const scripted = await gate.respond({
    method: request.method ?? 'GET', path: request.url ?? '/', headers, body: Buffer.concat(chunks).toString(), port,
  });
  response.writeHead(scripted.status ?? 200, scripted.headers);
  response.end(scripted.body ?? '');
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'text/plain' });
  response.end(body);
}

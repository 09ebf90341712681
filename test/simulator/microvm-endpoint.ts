import { IncomingMessage, request as httpRequest, ServerResponse, STATUS_CODES } from 'node:http';
import { createServer, Server } from 'node:https';
import { AddressInfo } from 'node:net';
import { Duplex } from 'node:stream';
import { EndpointCertificate } from './endpoint-certificate';
import { EndpointRequest, readEndpointRequest } from './endpoint-request';
import { HttpAnswer, HttpRequest } from './http-exchange';

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

/** Who answers on a port of the MicroVM: a script, a port of this machine, or nobody. */
export type Upstream =
  | { readonly respond: (request: Pick<ScriptedRequest, 'method' | 'path' | 'headers' | 'body' | 'port'>) => Promise<ScriptedResponse> }
  | { readonly localPort: number }
  | undefined;

/** What the proxy in front of a MicroVM needs to know. */
export interface EndpointGate {
  /** False when no connector of the MicroVM lets requests in. */
  readonly reachable: boolean;
  check(token: string, port: number): 'ok' | 'bad-token' | 'bad-port';
  /** Brings the MicroVM up to date; true when it can serve, after an automatic resume if need be. */
  admit(): Promise<boolean>;
  upstream(port: number): Upstream;
  /** Bytes went through: the MicroVM is not idle. */
  touch(): void;
}

interface Refusal { readonly status: number; readonly body: string }

/** The empty 502 of 11.1: nobody answers. */
const NOBODY: Refusal = { status: 502, body: '' };
const OF_ONE_CONNECTION = ['connection', 'keep-alive'];

/** The HTTPS endpoint of one MicroVM, on a loopback port of its own. */
export class MicrovmEndpoint {
  public static async open(gate: EndpointGate): Promise<MicrovmEndpoint> {
    const server = createServer();
    // Making a certificate takes a second, and most MicroVMs of tests are never called.
    server.prependOnceListener('connection', () => {
      const { key, certificate: cert } = EndpointCertificate.shared;
      server.setSecureContext({ key, cert });
    });
    const endpoint = new MicrovmEndpoint(server, gate);
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    return endpoint;
  }

  /** Sockets that have left HTTP, which the server no longer knows. */
  private readonly streams = new Set<Duplex>();

  private constructor(private readonly server: Server, private readonly gate: EndpointGate) {
    server.on('request', (request, response) => void this.serve(request, response).catch(() => response.destroy()));
    server.on('upgrade', (request, socket, head) => void this.upgrade(request, socket, head).catch(() => socket.destroy()));
  }

  /** Host and port. The service answers a host name of its own, without a port. */
  public get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What a script answers, for those of this process who need no socket between. */
  public async handle({ method, path, headers, body }: HttpRequest): Promise<HttpAnswer> {
    if (!this.gate.reachable) {
      return { status: 0, drop: true };
    }
    const wanted = readEndpointRequest(headers);
    const refusal = await this.refusal(wanted);
    const upstream = refusal ? undefined : this.gate.upstream(wanted.port);
    if (upstream && !('respond' in upstream)) {
      throw new Error('a process is reached through the endpoint of its MicroVM only');
    }
    const scripted = await upstream?.respond({ method, path, ...seenByApp(wanted), body });
    return scripted ? { ...scripted, status: scripted.status ?? 200 } : refusal ?? NOBODY;
  }

  public async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    this.streams.forEach((stream) => stream.destroy());
    await closed;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.gate.reachable) {
      request.socket.destroy();
      return;
    }
    const wanted = readEndpointRequest(request.headers);
    const refusal = await this.refusal(wanted);
    const upstream = refusal ? undefined : this.gate.upstream(wanted.port);
    if (!upstream) {
      request.resume();
      answer(response, refusal ?? NOBODY);
    } else if ('respond' in upstream) {
      const { method = 'GET', url: path = '/' } = request;
      const scripted = await upstream.respond({ method, path, ...seenByApp(wanted), body: await textOf(request) });
      response.writeHead(scripted.status ?? 200, scripted.headers);
      response.end(scripted.body ?? '');
    } else {
      this.forward(request, response, wanted, upstream.localPort);
    }
  }

  private forward(request: IncomingMessage, response: ServerResponse, wanted: EndpointRequest, port: number): void {
    const headers = withoutConnection(wanted.headers);
    const onward = httpRequest({ host: '127.0.0.1', port, method: request.method, path: request.url, headers, agent: false });
    onward.once('error', () => response.headersSent ? response.destroy() : answer(response, NOBODY));
    onward.once('response', (received) => {
      response.writeHead(received.statusCode!, withoutConnection(received.headers));
      received.on('data', () => this.gate.touch());
      received.once('error', () => response.destroy());
      received.pipe(response);
    });
    response.once('close', () => onward.destroy());
    request.pipe(onward);
  }

  /** A WebSocket, or whatever else the app speaks after HTTP: bytes are passed on as they are. */
  private async upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    this.streams.add(socket.once('close', () => this.streams.delete(socket)).on('error', () => socket.destroy()));
    if (!this.gate.reachable) {
      socket.destroy();
      return;
    }
    const wanted = readEndpointRequest(request.headers);
    const refusal = await this.refusal(wanted);
    const upstream = refusal ? undefined : this.gate.upstream(wanted.port);
    if (!upstream || 'respond' in upstream) {
      socket.end(messageOf(refusal ?? NOBODY));
      return;
    }
    const onward = httpRequest({
      host: '127.0.0.1', port: upstream.localPort, method: request.method, path: request.url, headers: wanted.headers, agent: false,
    });
    onward.once('error', () => socket.end(messageOf(NOBODY)));
    // The app declines.
    onward.once('response', (received) => void textOf(received).then((body) => socket.end(messageOf({ status: received.statusCode!, body }))));
    onward.once('upgrade', (received, inner, innerHead) => {
      const agreed = { ...(wanted.protocol ? { 'sec-websocket-protocol': wanted.protocol } : {}), ...received.headers };
      socket.write(`HTTP/1.1 101 ${STATUS_CODES[101]}\r\n${Object.entries(agreed).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
      socket.write(innerHead);
      inner.write(head);
      for (const [from, to] of [[inner, socket], [socket, inner]]) {
        from.on('data', () => this.gate.touch()).on('error', () => to.destroy()).once('close', () => to.destroy());
        from.pipe(to);
      }
    });
    onward.end();
  }

  private async refusal({ port, token }: EndpointRequest): Promise<Refusal | undefined> {
    if (Number.isNaN(port)) {
      return { status: 400, body: 'Invalid port' };
    }
    if (token === undefined) {
      return { status: 403, body: 'Request missing authentication' };
    }
    const verdict = this.gate.check(token, port);
    if (verdict !== 'ok') {
      return { status: 403, body: verdict === 'bad-port' ? 'Access to port denied' : 'Token authentication failed' };
    }
    return await this.gate.admit() ? undefined : NOBODY;
  }
}

function seenByApp({ headers, port }: EndpointRequest): Pick<ScriptedRequest, 'headers' | 'port'> {
  return { headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])), port };
}

function answer(response: ServerResponse, { status, body }: Refusal): void {
  response.writeHead(status, { 'content-type': 'text/plain' });
  response.end(body);
}

function messageOf({ status, body }: Refusal): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\ncontent-type: text/plain\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`;
}

function withoutConnection(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_ONE_CONNECTION.includes(name)));
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

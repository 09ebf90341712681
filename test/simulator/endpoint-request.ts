import { IncomingHttpHeaders } from 'node:http';

const DEFAULT_PORT = 8080;
const PROXY_HEADERS = /^x-aws-proxy-/;
const BASE_PROTOCOL = 'lambda-microvms';
const TOKEN_PROTOCOL = `${BASE_PROTOCOL}.authentication.`;
const PORT_PROTOCOL = `${BASE_PROTOCOL}.port.`;

/** What a request says to the proxy in front of a MicroVM, and what of it reaches the app (11.1). */
export interface EndpointRequest {
  /** NaN for what is no port. */
  readonly port: number;
  readonly token?: string;
  /** Without the proxy's own headers and subprotocols. */
  readonly headers: Record<string, string | string[]>;
  /** To be answered when the app picks none: browsers take no answer without one. */
  readonly protocol?: string;
}

/** Headers win over subprotocols, which browsers need: they can set no headers on a WebSocket. */
export function readEndpointRequest(received: IncomingHttpHeaders): EndpointRequest {
  const offered = (received['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim()).filter((name) => name !== '');
  const ours = offered.filter((name) => name === BASE_PROTOCOL || name.startsWith(`${BASE_PROTOCOL}.`));
  const told = (prefix: string) => ours.find((name) => name.startsWith(prefix))?.slice(prefix.length);
  const hasBase = ours.includes(BASE_PROTOCOL);
  const port = received['x-aws-proxy-port'] ?? told(PORT_PROTOCOL);
  return {
    port: ours.length > 0 && !hasBase ? NaN : portNumber(port === undefined ? undefined : String(port)),
    token: received['x-aws-proxy-auth'] === undefined ? told(TOKEN_PROTOCOL) : String(received['x-aws-proxy-auth']),
    headers: stripped(received, offered.filter((name) => !ours.includes(name))),
    protocol: hasBase ? BASE_PROTOCOL : undefined,
  };
}

function portNumber(text: string | undefined): number {
  if (text === undefined) {
    return DEFAULT_PORT;
  }
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535 ? Number(text) : NaN;
}

function stripped(received: IncomingHttpHeaders, protocols: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(received)) {
    if (value !== undefined && !PROXY_HEADERS.test(name) && name !== 'sec-websocket-protocol') {
      headers[name] = value;
    }
  }
  return protocols.length > 0 ? { ...headers, 'sec-websocket-protocol': protocols.join(', ') } : headers;
}

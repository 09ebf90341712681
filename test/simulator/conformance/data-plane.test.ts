import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as sdk from '@aws-sdk/client-lambda-microvms';
import { ARTIFACT, connector, World, zip } from './world';

let world: World;
let host: string;
let microvmIdentifier: string;

/** Speaks WebSocket as far as bytes go: it greets, then echoes. On /decline it does not, and on /stream it sends line by line. */
const APP = `
  const { createHash } = require('node:crypto');
  let open;
  require('node:http').createServer((request, response) => {
    if (request.url === '/next') { open.end('second\\n'); response.end(); return; }
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('first\\n');
    open = response;
  }).on('upgrade', (request, socket) => {
    if (request.url === '/decline') { socket.end('HTTP/1.1 418 No\\r\\ncontent-length: 6\\r\\n\\r\\nteapot'); return; }
    const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
    const chosen = request.url === '/chat' ? 'sec-websocket-protocol: chat\\r\\n' : '';
    socket.write('HTTP/1.1 101 Switching Protocols\\r\\nupgrade: websocket\\r\\nconnection: Upgrade\\r\\nsec-websocket-accept: ' + accept + '\\r\\n' + chosen + '\\r\\n');
    if (request.url === '/quiet') { return; }
    socket.write(JSON.stringify(request.headers));
    socket.pipe(socket);
  }).listen(8080, '127.0.0.1');
  require('node:http').createServer((_request, response) => response.end('other port')).on('upgrade', (_request, socket) => {
    socket.end('HTTP/1.1 101 Switching Protocols\\r\\nupgrade: websocket\\r\\nconnection: Upgrade\\r\\n\\r\\nother port');
  }).listen(3000);`;

beforeEach(async () => {
  world = await World.start({ guests: { mode: 'process' } });
  world.sim.artifacts.put(ARTIFACT, zip({ 'Dockerfile': 'FROM base\nCOPY . /\nCMD node /app.js', 'app.js': APP }));
  await world.built('app');
  const microvm = await world.launched({ idlePolicy: { maxIdleDurationSeconds: 60, suspendedDurationSeconds: 60, autoResumeEnabled: false } });
  [host, microvmIdentifier] = [microvm.host, microvm.id];
});
afterEach(() => world.sim.stop());

const token = async (ports?: sdk.PortSpecification[]) => (await world.token(microvmIdentifier, ports))['X-aws-proxy-auth'];

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

interface Opened { readonly response: IncomingMessage; readonly socket?: Socket; readonly text: string }

/** Opens a WebSocket; the text is the first that came, or the body of a refusal. */
async function open(path: string, headers: Record<string, string>): Promise<Opened> {
  const request = world.endpointRequest(host, {
    path,
    headers: { 'connection': 'Upgrade', 'upgrade': 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': KEY, ...headers },
  });
  request.end();
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('response', async (response) => {
      let text = '';
      for await (const chunk of response) {
        text += chunk;
      }
      resolve({ response, text });
    });
    request.once('upgrade', async (response, socket: Socket, head) => {
      const text = head.length > 0 ? String(head) : String((await once(socket, 'data'))[0]);
      resolve({ response, socket, text });
    });
  });
}

/** What an open WebSocket answers to some bytes. */
async function echo({ socket }: Opened, text: string): Promise<string> {
  socket!.write(text);
  return String((await once(socket!, 'data'))[0]);
}

const subprotocols = (...names: string[]) => ({ 'sec-websocket-protocol': names.join(', ') });

const onPort = async (port: string) =>
  subprotocols('lambda-microvms', `lambda-microvms.authentication.${await token()}`, `lambda-microvms.port.${port}`);

describe('11.1 WebSockets', () => {
  test('11.1 one that carries its token in a header is passed through', async () => {
    const opened = await open('/', { 'x-aws-proxy-auth': await token() });
    expect(opened.response.statusCode).toBe(101);
    expect(opened.response.headers['sec-websocket-accept'])
      .toBe(createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64'));
    expect(await echo(opened, 'ping')).toBe('ping');
    opened.socket!.destroy();
  });

  test('11.1 a browser puts token and port into subprotocols, which the app does not see and one of which it is answered', async () => {
    const opened = await open('/', subprotocols('lambda-microvms', `lambda-microvms.authentication.${await token()}`, 'lambda-microvms.port.8080', 'chat', 'v2'));
    expect([opened.response.statusCode, opened.response.headers['sec-websocket-protocol']]).toEqual([101, 'lambda-microvms']);
    expect(JSON.parse(opened.text)['sec-websocket-protocol']).toBe('chat, v2');
    expect(opened.text).not.toContain('authentication');
    opened.socket!.destroy();
  });

  test('11.1 the WebSocket of browsers and of Node opens', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'endpoint-ca-'));
    writeFileSync(join(folder, 'ca.pem'), world.sim.endpointCa);
    const script = `const socket = new WebSocket('wss://${host}/quiet', ['lambda-microvms', 'lambda-microvms.authentication.${await token()}']);
      socket.onopen = () => { console.log('open', socket.protocol); process.exit(); };
      socket.onerror = ({ message }) => { console.log('failed', message); process.exit(); };`;
    const caller = spawn(process.execPath, ['--experimental-websocket', '-e', script], { env: { NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem') } });
    const [printed] = await once(caller.stdout, 'data');
    rmSync(folder, { recursive: true });
    expect(String(printed)).toBe('open lambda-microvms\n');
  });

  test('11.1 the subprotocol that the app picks is the one that is answered', async () => {
    const opened = await open('/chat', subprotocols('lambda-microvms', `lambda-microvms.authentication.${await token()}`, 'chat'));
    expect(opened.response.headers['sec-websocket-protocol']).toBe('chat');
    opened.socket!.destroy();
  });

  test('11.1 the port of the subprotocol is taken, that of the header before it', async () => {
    const auth = `lambda-microvms.authentication.${await token([{ allPorts: {} }])}`;
    const bySubprotocol = await open('/', subprotocols('lambda-microvms', auth, 'lambda-microvms.port.3000'));
    expect(bySubprotocol.text).toBe('other port');
    const byHeader = await open('/', { ...subprotocols('lambda-microvms', auth, 'lambda-microvms.port.8080'), 'x-aws-proxy-port': '3000' });
    expect(byHeader.text).toBe('other port');
  });

  test.each<[string, () => Promise<Record<string, string>>, number, string]>([
    ['no token', async () => subprotocols('lambda-microvms'), 403, 'Request missing authentication'],
    ['a made-up token', async () => subprotocols('lambda-microvms', 'lambda-microvms.authentication.nonsense'), 403, 'Token authentication failed'],
    ['another port than allowed', () => onPort('3000'), 403, 'Access to port denied'],
    ['a port that is none', () => onPort('http'), 400, 'Invalid port'],
    ['subprotocols without their base', async () => subprotocols(`lambda-microvms.authentication.${await token()}`), 400, 'Invalid port'],
    ['a port nobody listens on', async () => ({ 'x-aws-proxy-auth': await token([{ port: 4000 }]), 'x-aws-proxy-port': '4000' }), 502, ''],
  ])('11.1 %s is refused', async (_name, headers, status, body) => {
    const { response, text } = await open('/', await headers());
    expect([response.statusCode, text]).toEqual([status, body]);
  });

  test('11.1 what an app answers that wants no WebSocket is passed through', async () => {
    const { response, text } = await open('/decline', { 'x-aws-proxy-auth': await token() });
    expect([response.statusCode, text]).toEqual([418, 'teapot']);
  });

  test('11.1 the token is checked when the connection is opened: a live one outlasts it', async () => {
    const opened = await open('/', { 'x-aws-proxy-auth': await token() });
    for (let minute = 0; minute < 10; minute++) {
      expect(await echo(opened, 'still here')).toBe('still here');
      await world.sim.clock.advance(59_000);
    }
    expect((await world.microvm(microvmIdentifier)).state).toBe('RUNNING');
    opened.socket!.destroy();
  });

  test('7.5 an open but silent one keeps nothing awake', async () => {
    const opened = await open('/', { 'x-aws-proxy-auth': await token() });
    await world.sim.clock.advance(60_000);
    expect((await world.microvm(microvmIdentifier)).state).toBe('SUSPENDING');
    opened.socket!.destroy();
  });

  test('2.2 NO_INGRESS lets none in', async () => {
    const closed = await world.launched({ ingressNetworkConnectors: [connector('NO_INGRESS')] });
    [host, microvmIdentifier] = [closed.host, closed.id];
    await expect(open('/', { 'x-aws-proxy-auth': await token() })).rejects.toThrow();
  });
});

test('11.1 an answer arrives as it is sent, not at its end', async () => {
  const auth = { 'x-aws-proxy-auth': await token() };
  const get = async (path: string): Promise<IncomingMessage> =>
    (await once(world.endpointRequest(host, { path, headers: auth }).end(), 'response'))[0];
  const chunks = (await get('/stream'))[Symbol.asyncIterator]();
  expect(String((await chunks.next()).value)).toBe('first\n');
  // Only this makes the app send the rest.
  (await get('/next')).resume();
  expect(String((await chunks.next()).value)).toBe('second\n');
});

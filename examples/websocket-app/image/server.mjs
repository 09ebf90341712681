// One MicroVM is one room: wss://<endpoint>/?name=<participant>.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { hookServer } from './hooks.mjs';
import { Room } from './room.mjs';

const { HOST = '0.0.0.0', PORT = '8080', HOOK_PORT = '9000' } = process.env;

const room = new Room();
let isListening = false;
let isRunning = false;

const app = createServer((_request, response) => response.writeHead(426).end('connect with a WebSocket\n'));
const webSockets = new WebSocketServer({ noServer: true, maxPayload: 16 * 1024 });

app.on('upgrade', (request, socket, head) => {
  // The first request can overtake the run hook, before which this MicroVM is a copy of the snapshot like any other.
  if (!isRunning) {
    socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  const name = new URL(request.url, 'http://room').searchParams.get('name')?.slice(0, 40) || 'somebody';
  webSockets.handleUpgrade(request, socket, head, (webSocket) => room.join(webSocket, name));
});

const hooks = hookServer({
  // Build: 503 means "ask again", 200 lets the service take the snapshot.
  ready: () => (isListening ? 200 : 503),
  run: () => {
    isRunning = true;
    return 200;
  },
  resume: () => 200,
  suspend: () => {
    room.sendEveryoneOut();
    return 200;
  },
  terminate: () => {
    room.sendEveryoneOut();
    return 200;
  },
});

app.listen(Number(PORT), HOST, () => {
  isListening = true;
  console.log(`app on ${HOST}:${app.address().port}`);
});
hooks.listen(Number(HOOK_PORT), HOST, () => console.log(`hooks on ${HOST}:${hooks.address().port}`));

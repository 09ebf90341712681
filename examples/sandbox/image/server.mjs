// Runs untrusted JavaScript: POST /run {"code": "console.log(6 * 7)"}. One MicroVM serves one caller.
import { createServer } from 'node:http';
import { HookServer } from './hooks.mjs';
import { Snippets } from './snippets.mjs';

const MAX_REQUEST_BYTES = 256 * 1024;
const HOST = '0.0.0.0';
const PORT = 8080;
const HOOK_PORT = 9000;

const snippets = new Snippets();
const hooks = new HookServer(snippets);
/** How much this MicroVM has run. It stays while the MicroVM is suspended, as all of its memory does. */
let runs = 0;

const app = createServer(async (request, response) => {
  try {
    const { status, body } = await route(request);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  } catch (error) {
    response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ message: error.message }));
  }
});

async function route(request) {
  // The first request can overtake the run hook, which gives this MicroVM its identity.
  if (!hooks.microvmId) {
    return { status: 503, body: { message: 'starting' } };
  }
  if (request.method === 'GET' && request.url === '/health') {
    return { status: 200, body: { microvmId: hooks.microvmId } };
  }
  if (request.method === 'POST' && request.url === '/run') {
    const { code } = JSON.parse(await text(request));
    if (typeof code !== 'string') {
      return { status: 400, body: { message: 'code: expected text' } };
    }
    return { status: 200, body: { ...await snippets.run(code), run: ++runs } };
  }
  return { status: 404, body: { message: 'POST /run or GET /health' } };
}

async function text(request) {
  let received = '';
  for await (const chunk of request.setEncoding('utf8')) {
    received += chunk;
    if (received.length > MAX_REQUEST_BYTES) {
      throw new Error(`the request is larger than ${MAX_REQUEST_BYTES} bytes`);
    }
  }
  return received;
}

app.listen(PORT, HOST, () => {
  hooks.appIsListening();
  console.log(`app on ${HOST}:${PORT}`);
});
hooks.server.listen(HOOK_PORT, HOST, () => console.log(`hooks on ${HOST}:${HOOK_PORT}`));

// Does one job and ends: downloads a file and prints its SHA-256. The job comes with the launch, through the run hook.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';

const PREFIX = '/aws/lambda-microvms/runtime/v1/';
const { HOST = '0.0.0.0', HOOK_PORT = '9000' } = process.env;

let job;

const hooks = {
  // Build: there is nothing to warm up.
  ready: () => 200,

  // Called again if the service misses the answer. One launch is one job all the same.
  run: (body) => {
    const { microvmId, runHookPayload } = JSON.parse(body);
    const { url } = JSON.parse(runHookPayload);
    if (!URL.canParse(url)) {
      // Any status but 200 ends the MicroVM.
      return 400;
    }
    job ??= work(microvmId, url);
    return 200;
  },
};

/** A MicroVM ends with its main process, and tells the exit code as the reason. */
function work(microvmId, url) {
  return checksum(url).then(
    (result) => end(0, { microvmId, url, ...result }),
    (error) => end(1, { microvmId, url, error: String(error.cause ?? error) }),
  );
}

async function checksum(url) {
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`HTTP ${response.status}`);
  }
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.length;
    hash.update(chunk);
  }
  return { bytes, sha256: hash.digest('hex') };
}

function end(exitCode, result) {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(exitCode));
}

const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk;
  }
  const name = request.url.startsWith(PREFIX) ? request.url.slice(PREFIX.length) : '';
  const known = request.method === 'POST' && Object.hasOwn(hooks, name);
  let status = 404;
  try {
    status = known ? hooks[name](body) : 404;
  } catch {
    status = 400;
  }
  response.writeHead(status).end();
});
// The service knocks with a TLS greeting before it speaks HTTP.
server.on('clientError', (_error, socket) => socket.destroy());
server.listen(Number(HOOK_PORT), HOST, () => console.log(`hooks on ${HOST}:${server.address().port}`));

// What the Lambda MicroVMs service calls in the life of a MicroVM. Every hook may be called more than once.
// https://docs.aws.amazon.com/lambda/latest/dg/microvms-launching.html
import { createServer } from 'node:http';

const PREFIX = '/aws/lambda-microvms/runtime/v1/';

/** A server that answers each hook with the status its function returns. */
export function hookServer(hooks) {
  const server = createServer(async (request, response) => {
    const name = request.url.startsWith(PREFIX) ? request.url.slice(PREFIX.length) : '';
    const hook = request.method === 'POST' && Object.hasOwn(hooks, name) ? hooks[name] : () => 404;
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) {
      body += chunk;
    }
    const status = hook(body);
    console.log(`hook ${name}: ${status}`);
    response.writeHead(status).end();
  });
  // The service knocks with a TLS greeting before it speaks HTTP.
  server.on('clientError', (_error, socket) => socket.destroy());
  return server;
}

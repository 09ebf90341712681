// What the Lambda MicroVMs service calls in the life of a MicroVM. Every hook may be called more than once.
// https://docs.aws.amazon.com/lambda/latest/dg/microvms-launching.html
import { createServer } from 'node:http';

const PREFIX = '/aws/lambda-microvms/runtime/v1/';

export class HookServer {
  /** Set by the run hook. Everything before it is in the snapshot, and so the same in all MicroVMs of this version. */
  microvmId;
  #ready = false;
  #snippets;

  constructor(snippets) {
    this.#snippets = snippets;
    this.server = createServer((request, response) => this.#serve(request, response));
    // The service knocks with a TLS greeting before it speaks HTTP.
    this.server.on('clientError', (_error, socket) => socket.destroy());
  }

  appIsListening() {
    this.#ready = true;
  }

  async #serve(request, response) {
    const name = request.url.startsWith(PREFIX) ? request.url.slice(PREFIX.length) : '';
    const hook = request.method === 'POST' && Object.hasOwn(this.#hooks, name) ? this.#hooks[name] : undefined;
    try {
      const body = await readAll(request);
      const status = hook ? await hook(body) : 404;
      console.log(`hook ${name}: ${status}`);
      response.writeHead(status).end();
    } catch (error) {
      console.error(`hook ${name}: ${error.stack}`);
      response.writeHead(500).end();
    }
  }

  #hooks = {
    // Build: 503 means "ask again", 200 lets the service take the snapshot.
    ready: () => (this.#ready ? 200 : 503),

    // Build, in a throw-away MicroVM restored from the snapshot. What is used here is prefetched in every later start.
    validate: async () => {
      const { stdout } = await this.#snippets.run('console.log(6 * 7)');
      return stdout === '42\n' ? 200 : 500;
    },

    run: (body) => {
      this.microvmId ??= JSON.parse(body).microvmId;
      return 200;
    },

    // Nothing to reconnect: this app holds no connection, and keeps no clock.
    resume: () => 200,

    // A snippet would wake up with its time over.
    suspend: () => {
      this.#snippets.stopAll();
      return 200;
    },

    terminate: () => {
      this.#snippets.stopAll();
      return 200;
    },
  };
}

async function readAll(request) {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk;
  }
  return body;
}

// A participant at a terminal, on Node 22 or newer: node client.mjs <name> < ticket, the ticket being its first line of input.
import { createInterface } from 'node:readline';

const ATTEMPTS = 60;
const name = process.argv[2] ?? 'somebody';
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const { url, protocols } = JSON.parse((await input.next()).value);

const socket = await connected();
socket.addEventListener('message', ({ data }) => {
  const { from, text } = JSON.parse(data);
  console.log(`${from}: ${text}`);
});
socket.addEventListener('close', ({ reason }) => {
  console.log(`(closed) ${reason}`);
  process.exit();
});
for await (const line of { [Symbol.asyncIterator]: () => input }) {
  socket.send(line);
}
socket.close();

/** A MicroVM that starts or wakes up answers 502 for a second or two. Trying is the way to find out. */
async function connected() {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const candidate = new WebSocket(`${url}?name=${encodeURIComponent(name)}`, protocols);
    if (await new Promise((resolve) => {
      candidate.onopen = () => resolve(true);
      candidate.onerror = () => resolve(false);
    })) {
      return candidate;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`no connection in ${ATTEMPTS} attempts`);
}

import { createServer } from 'node:net';

export const LOOPBACK = '127.0.0.1';

/** @throws when the URL names anything but this machine's loopback address: no real AWS account may ever be reached. */
export function assertLoopback(url: string): void {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'http:' || hostname !== LOOPBACK) {
    throw new Error(`refusing to run against ${url}: only http://${LOOPBACK} is the emulator`);
  }
}

/** @throws when the port is taken. */
export function claimPort(port: number = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'EADDRINUSE'
      ? new Error(`port ${port} of ${LOOPBACK} is in use: choose another, or let a free one be taken by naming none`)
      : error));
    server.listen(port, LOOPBACK, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port));
    });
  });
}

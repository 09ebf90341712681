// Runs snippets of JavaScript, each in a process of its own with a time limit.
import { spawn } from 'node:child_process';

const TIME_LIMIT_MS = 10_000;
const MAX_OUTPUT_BYTES = 64 * 1024;
const { SNIPPET_UID } = process.env;

export class Snippets {
  #running = new Set();

  run(code) {
    const started = performance.now();
    // The MicroVM is the wall around the snippet. Within it, it is a stranger: no environment, no root.
    const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
      cwd: '/tmp',
      env: {},
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(SNIPPET_UID && { uid: Number(SNIPPET_UID), gid: Number(SNIPPET_UID) }),
    });
    this.#running.add(child);
    const stdout = capture(child.stdout);
    const stderr = capture(child.stderr);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, TIME_LIMIT_MS);

    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode) => resolve({
        exitCode,
        stdout: stdout(),
        stderr: stderr(),
        timedOut,
        milliseconds: Math.round(performance.now() - started),
      }));
    }).finally(() => {
      clearTimeout(timer);
      this.#running.delete(child);
    });
  }

  stopAll() {
    for (const child of this.#running) {
      child.kill('SIGKILL');
    }
  }
}

function capture(stream) {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk) => {
    text = (text + chunk).slice(0, MAX_OUTPUT_BYTES);
  });
  return () => text;
}

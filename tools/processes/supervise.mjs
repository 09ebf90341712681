// Runs a command for as long as this process's standard input stays open.
//
//   node supervise.mjs <temporary folder or ''> <command> [arguments...]
//
// The starter holds the other end of that pipe, and the operating system closes it however the starter ends: return,
// exception, Ctrl-C, even kill -9. So nothing it started outlives it, without a handler for each way of ending.
// Closing the pipe stops the command (SIGTERM, then SIGKILL) and removes the temporary folder. A line written to it is the name of
// a signal for the command.
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const GRACE_MS = 5000;
const [temporary, command, ...args] = process.argv.slice(2);

// Detached: a process group of its own, which takes the signals for the command and all it starts.
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true });

const signal = (name) => {
  try {
    process.kill(-child.pid, name);
  } catch {
    // The group is gone already.
  }
};

const finish = (code) => {
  signal('SIGKILL');
  if (temporary) {
    rmSync(temporary, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
  process.exit(code);
};

// A signal to the terminal's group is the starter's business: it decides, by closing the pipe.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGPIPE']) {
  process.on(name, () => {});
}
createInterface({ input: process.stdin }).on('line', signal).once('close', () => {
  signal('SIGTERM');
  // One that was stopped takes the first only when it goes on.
  signal('SIGCONT');
  setTimeout(() => finish(137), GRACE_MS);
});
child.once('error', (error) => {
  console.error(`${command}: ${error.message}`);
  finish(127);
});
child.once('exit', (code) => finish(code ?? 1));

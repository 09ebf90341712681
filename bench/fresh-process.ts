import { execFileSync } from 'node:child_process';
import * as path from 'node:path';

export const ROOT = path.join(__dirname, '..');

/** Runs a script in a process of its own, as `node` runs it, and returns the number it prints. */
export function numberFrom(script: string): number {
  const printed = execFileSync(process.execPath, ['-e', script], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, AWS_REGION: 'us-east-1', NODE_OPTIONS: '' },
  });
  const value = Number(printed.trim().split('\n').pop());
  if (!Number.isFinite(value)) {
    throw new Error(`expected a number, got: ${printed}`);
  }
  return value;
}

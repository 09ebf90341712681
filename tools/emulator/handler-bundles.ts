import { existsSync, readdirSync, statSync } from 'node:fs';
import * as path from 'node:path';
import { SupervisedProcess } from '../processes/supervised-process';

const PROJECT_ROOT = path.join(__dirname, '..', '..');
const SOURCES = path.join(PROJECT_ROOT, 'src', 'custom-resources');
const BUNDLES = path.join(PROJECT_ROOT, 'lib', 'custom-resources');

/** Bundles the deploy-time handlers unless the bundles are there and younger than every source. */
export async function bundleHandlers(progress: (line: string) => void = () => {}): Promise<void> {
  const bundles = entryPoints().map((file) => path.join(BUNDLES, file.replace(/\.ts$/, ''), 'index.js'));
  const newestSource = Math.max(...files(SOURCES).map((file) => statSync(file).mtimeMs));
  if (bundles.every((file) => existsSync(file) && statSync(file).mtimeMs >= newestSource)) {
    return;
  }
  progress('bundling the deploy-time handlers');
  const projen = path.join(PROJECT_ROOT, 'node_modules', 'projen', 'bin', 'projen');
  const bundling = new SupervisedProcess(process.execPath, [projen, 'bundle'], { cwd: PROJECT_ROOT, env: process.env });
  if (await bundling.exited !== 0) {
    throw new Error(`projen bundle failed:\n${bundling.lines.join('\n')}`);
  }
}

function entryPoints(): string[] {
  return files(SOURCES).filter((file) => file.endsWith('.lambda.ts')).map((file) => path.relative(SOURCES, file));
}

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
}

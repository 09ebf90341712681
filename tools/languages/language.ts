import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';

export const PROJECT_ROOT = path.join(__dirname, '..', '..');
/** Never left in the tree: what was generated of aws-cdk-lib stays for the next run. */
export const SCRATCH = path.join(PROJECT_ROOT, '.tmp', 'languages');

/** A language the library is packaged for, and how an app written in it synthesises. */
export interface Language {
  readonly name: string;
  /** Commands that must be on the PATH. */
  readonly tools: readonly string[];
  /** Installs the package as built for this language, and synthesises the app of this folder into `outdir`. */
  synthesize(folder: string, outdir: string): void;
}

/** Runs a command quietly; what it said is in the error when it fails. */
export function run(command: string, args: readonly string[], options: { cwd: string; env?: Record<string, string> }): string {
  try {
    return execFileSync(command, args, {
      cwd: options.cwd,
      env: { ...process.env, NODE_OPTIONS: '--max-old-space-size=8192', JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION: 'true', ...options.env },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 256 * 1024 * 1024,
    });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(' ')} failed:\n${`${stdout}\n${stderr}`.trim().split('\n').slice(-30).join('\n')}`);
  }
}

/** Bindings of a jsii package, without calling the language's own build. */
export function generateBindings(language: string, packageFolder: string, outdir: string): void {
  run(jsiiPacmak(), ['--code-only', '--target', language, '--outdir', outdir, packageFolder], { cwd: PROJECT_ROOT });
}

/** This library, built for a language into `outdir`. */
export function buildPackage(language: string, outdir: string): void {
  run(jsiiPacmak(), ['--target', language, '--outdir', outdir, PROJECT_ROOT], { cwd: PROJECT_ROOT });
}

/**
 * Bindings of aws-cdk-lib, generated from the npm package the library was compiled with: not every registry has this
 * very version for every language, and another version would synthesise other templates.
 */
export function cdkBindings(language: string): string {
  const packages = ['aws-cdk-lib', '@aws-cdk/cloud-assembly-schema', '@aws-cdk/asset-awscli-v1', '@aws-cdk/asset-node-proxy-agent-v6'];
  const { version } = manifest('aws-cdk-lib');
  const folder = path.join(SCRATCH, `aws-cdk-lib-${version}`, language);
  for (const each of packages) {
    const bindings = path.join(folder, each.replace('/', '-'));
    const done = path.join(bindings, language);
    if (!existsSync(done)) {
      mkdirSync(bindings, { recursive: true });
      generateBindings(language, path.join(PROJECT_ROOT, 'node_modules', each), bindings);
    }
  }
  return folder;
}

export function manifest(name: string): { version: string } {
  return JSON.parse(readFileSync(path.join(PROJECT_ROOT, 'node_modules', name, 'package.json'), 'utf8'));
}

function jsiiPacmak(): string {
  return path.join(PROJECT_ROOT, 'node_modules', '.bin', 'jsii-pacmak');
}

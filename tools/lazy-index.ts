import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';

const INDEX = path.join(__dirname, '..', 'lib', 'index.js');

const LAZILY = 'const lazily = (name, load) => Object.defineProperty(exports, name, { enumerable: true, configurable: true, get: () => load()[name] });';

/**
 * Rewrites the compiled index so that a name loads its file when it is first used, as `aws-cdk-lib` does it: an app that needs
 * one construct does not wait for all of them.
 */
function main() {
  const modules = [...readFileSync(INDEX, 'utf8').matchAll(/^__exportStar\(require\("(.+)"\), exports\);$/gm)].map(([, file]) => file);
  if (modules.length === 0) {
    throw new Error(`${INDEX} exports nothing the way the compiler writes it`);
  }
  writeFileSync(INDEX, ['"use strict";', 'Object.defineProperty(exports, "__esModule", { value: true });', LAZILY, ...modules.flatMap(exportsOf), ''].join('\n'));
}

/** The assignment is for Node, which looks for the names of a CommonJS module in its text. A file of interfaces has none. */
function exportsOf(file: string): string[] {
  const names = Object.keys(createRequire(INDEX)(file));
  return names.map((name) => `exports.${name} = void 0;\nlazily("${name}", () => require("${file}"));`);
}

main();

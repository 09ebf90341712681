import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import * as path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { go } from './go';
import { java } from './java';
import { Language, SCRATCH } from './language';
import { python } from './python';
import { typescript } from './typescript';

const LANGUAGES: readonly Language[] = [python, java, go];

/**
 * Builds the package for each language, and has the same app written in it synthesise: every template must equal that of
 * TypeScript. A language whose tools are missing is not checked, and then the whole check does not pass.
 */
function main(names: readonly string[]): void {
  const unknown = names.filter((name) => !LANGUAGES.some((language) => language.name === name));
  if (unknown.length > 0) {
    throw new Error(`no language '${unknown.join(', ')}'; there are ${LANGUAGES.map(({ name }) => name).join(', ')}`);
  }
  mkdirSync(SCRATCH, { recursive: true });
  const folder = mkdtempSync(path.join(SCRATCH, 'apps-'));
  try {
    const expected = synthesize(typescript, folder);
    for (const language of LANGUAGES.filter(({ name }) => names.length === 0 || names.includes(name))) {
      const missing = language.tools.filter((tool) => !isInstalled(tool));
      const verdict = missing.length > 0 ? `NOT CHECKED, ${missing.join(' and ')} not found` : compare(expected, synthesize(language, folder));
      console.log(`${language.name}: ${verdict ?? `the ${expected.size} templates of TypeScript`}`);
      if (verdict !== undefined) {
        process.exitCode = 1;
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function synthesize(language: Language, folder: string): Map<string, unknown> {
  const own = path.join(folder, language.name);
  const outdir = path.join(own, 'cdk.out');
  mkdirSync(own);
  language.synthesize(own, outdir);
  const templates = readdirSync(outdir).filter((file) => file.endsWith('.template.json'));
  return new Map(templates.map((file) => [file, JSON.parse(readFileSync(path.join(outdir, file), 'utf8'))]));
}

/** What differs, or nothing. */
function compare(expected: Map<string, unknown>, actual: Map<string, unknown>): string | undefined {
  const different = [...new Set([...expected.keys(), ...actual.keys()])].filter((file) => !isDeepStrictEqual(expected.get(file), actual.get(file)));
  return different.length > 0 || expected.size === 0 ? `DIFFERENT: ${different.join(', ')}` : undefined;
}

function isInstalled(tool: string): boolean {
  try {
    execFileSync('which', [tool], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

main(process.argv.slice(2));

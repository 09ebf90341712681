import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { Mutation, MUTATIONS } from './mutations';

const ROOT = path.join(__dirname, '..', '..');
const COPIED = ['src', 'test', 'integ', 'tools', 'examples', 'package.json', 'tsconfig.json'];
const QUICK = 'config|contract|decide|driver|failure|is-complete|ledger|refusal|request\\.|retention';
/** The engine's, the quick ones first. Without the random histories: they would find most breaks too, much later. */
const ENGINE_TESTS = [QUICK, `(?!histories|interruptions|${QUICK})`, 'interruptions'].map((names) => `test/custom-resources/microvm-image/(${names})`);

/** Breaks the code in a copy, one promise at a time, and tells which breaks no test notices. */
async function main(filters: readonly string[]) {
  const copy = mkdtempSync(path.join(tmpdir(), 'mutations-'));
  process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => process.exit(1));
  }
  COPIED.forEach((name) => cpSync(path.join(ROOT, name), path.join(copy, name), { recursive: true }));
  ['node_modules', 'lib', '.jsii'].forEach((name) => symlinkSync(path.join(ROOT, name), path.join(copy, name)));

  let total = 0;
  const survivors: string[] = [];
  for (const [promise, mutations] of Object.entries(MUTATIONS)) {
    console.log(`\n${promise}`);
    for (const mutation of mutations.filter(({ breaks }) => filters.length === 0 || filters.some((filter) => `${promise} ${breaks}`.includes(filter)))) {
      total++;
      const noticed = await isNoticed(copy, mutation);
      console.log(`  ${noticed ? 'noticed ' : 'SURVIVED'}  ${mutation.breaks}`);
      if (!noticed) {
        survivors.push(mutation.breaks);
      }
    }
  }
  console.log(`\n${total - survivors.length} of ${total} breaks were noticed`);
  process.exitCode = survivors.length > 0 || total === 0 ? 1 : 0;
}

async function isNoticed(copy: string, { file, find, replace, tests = ENGINE_TESTS }: Mutation): Promise<boolean> {
  const broken = path.join(copy, file);
  const sound = readFileSync(broken, 'utf8');
  if (sound.split(find).length !== 2) {
    throw new Error(`${file} must have this text exactly once: ${find}`);
  }
  writeFileSync(broken, sound.replace(find, () => replace));
  try {
    for (const pattern of tests) {
      if (await run(process.execPath, [path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js'), '--bail', '--silent', pattern], copy) !== 0) {
        return true;
      }
    }
    return false;
  } finally {
    writeFileSync(broken, sound);
  }
}

async function run(command: string, args: string[], cwd: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: 'ignore' });
    child.on('error', reject).on('exit', resolve);
  });
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});

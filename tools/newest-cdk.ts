import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';

const PROJECT_ROOT = path.join(__dirname, '..');
/** Everyday development runs on the floor of the peer range; jsii insists on that. */
const FLOOR: string = JSON.parse(readFileSync(path.join(PROJECT_ROOT, 'package.json'), 'utf8')).devDependencies['aws-cdk-lib'];
const TESTS = ['test/constructs', 'test/iam'];

/** Compiles the library and runs the tests of its constructs against another aws-cdk-lib, in a copy of the tree. */
function main(version: string): void {
  if (version === FLOOR) {
    console.log(`aws-cdk-lib ${version} is the newest and the floor of the peer range: npm test has covered it`);
    return;
  }
  const scratch = path.join(PROJECT_ROOT, '.tmp');
  mkdirSync(scratch, { recursive: true });
  const copy = mkdtempSync(path.join(scratch, 'newest-cdk-'));
  try {
    for (const file of run('git', ['ls-files', '-co', '--exclude-standard'], PROJECT_ROOT).split('\n').filter(Boolean)) {
      cpSync(path.join(PROJECT_ROOT, file), path.join(copy, file));
    }
    const manifestFile = path.join(copy, 'package.json');
    const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
    manifest.devDependencies['aws-cdk-lib'] = version;
    manifest.peerDependencies['aws-cdk-lib'] = `^${version}`;
    writeFileSync(manifestFile, JSON.stringify(manifest, undefined, 2));
    console.log(`testing with aws-cdk-lib ${version} (the floor is ${FLOOR})`);
    run('npm', ['install', '--no-audit', '--no-fund'], copy);
    run('npx', ['projen', 'bundle'], copy);
    run('npx', ['projen', 'compile'], copy);
    run('npx', ['jest', '--coverage=false', '--ci', ...TESTS], copy);
    console.log(`aws-cdk-lib ${version}: compiled, and ${TESTS.join(' and ')} passed`);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

function run(command: string, args: string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 256 * 1024 * 1024 });
}

// Of major version 2: the names "latest" and "newest" are not to be trusted across majors.
const newest = (): string => [JSON.parse(run('npm', ['view', 'aws-cdk-lib@2', 'version', '--json'], PROJECT_ROOT))].flat().pop();

main(process.argv[2] ?? newest());

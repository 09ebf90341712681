import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import * as path from 'node:path';
import { SupervisedProcess } from '../processes/supervised-process';

const PROJECT_ROOT = path.join(__dirname, '..', '..');

/** Everything the emulator needs or leaves lies here. Ignored by git. */
export const WORK_FOLDER = path.join(PROJECT_ROOT, '.demo');

/** The release that docs/emulator.md was measured with. */
const MINISTACK = 'ministack==1.5.33';
const CFN_LINT = 'cfn-lint==1.58.0';

/** Says what is missing on this machine, in words for the person at the keyboard. */
export class EmulatorUnavailable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EmulatorUnavailable';
  }
}

/**
 * Installs the emulator, once.
 *
 * @returns the Python that has it.
 * @throws EmulatorUnavailable
 */
export async function installEmulator(progress?: (line: string) => void): Promise<string> {
  return installPythonPackage(MINISTACK, progress);
}

/**
 * Installs the CloudFormation linter, once.
 *
 * @returns the command that runs it. Not the script pip makes: that one names the folder it was installed in before it was moved.
 * @throws EmulatorUnavailable
 */
export async function installTemplateLinter(progress?: (line: string) => void): Promise<string[]> {
  return [await installPythonPackage(CFN_LINT, progress), '-c', 'import sys; from cfnlint.runner.cli import main; sys.exit(main())'];
}

/**
 * Installs a Python package, such as `boto3==1.44.8`, into a virtual environment of its own, once.
 *
 * @returns the Python of that environment.
 * @throws EmulatorUnavailable
 */
export async function installPythonPackage(requirement: string, progress: (line: string) => void = () => {}): Promise<string> {
  const installed = path.join(WORK_FOLDER, requirement.replace('==', '-'));
  const python = path.join(installed, 'bin', 'python');
  if (existsSync(python)) {
    return python;
  }
  const basePython = findPython();
  progress(`installing ${requirement} with ${basePython} (once)`);
  mkdirSync(WORK_FOLDER, { recursive: true });
  // Made aside and moved into place, so that a half-finished or concurrent installation is never taken for a whole one.
  const aside = mkdtempSync(path.join(WORK_FOLDER, 'install-'));
  try {
    await run(basePython, ['-m', 'venv', aside]);
    await run(path.join(aside, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', requirement]);
    moveIntoPlace(aside, installed);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  return python;
}

function findPython(): string {
  for (const command of ['python3', 'python']) {
    const check = 'import sys, venv, ensurepip; sys.exit(0 if sys.version_info >= (3, 10) else 1)';
    if (spawnSync(command, ['-c', check], { stdio: 'ignore' }).status === 0) {
      return command;
    }
  }
  throw new EmulatorUnavailable(
    'the emulator and the template linter need Python 3.10 or newer with its venv module, as python3 on the PATH (Debian and Ubuntu: apt install python3-venv)',
  );
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const started = new SupervisedProcess(command, args, { cwd: WORK_FOLDER, env: process.env });
  if (await started.exited !== 0) {
    throw new EmulatorUnavailable(
      `it cannot be installed: ${path.basename(command)} ${args.join(' ')} failed:\n${started.lines.slice(-5).join('\n')}`,
    );
  }
}

function moveIntoPlace(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) {
      throw error;
    }
  }
}

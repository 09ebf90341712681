import { spawnSync } from 'child_process';
import { EmulatorUnavailable, installTemplateLinter } from '../../tools/emulator/installation';

/**
 * What cfn-lint says about templates. Undefined where it cannot be installed.
 *
 * W3005 is about the DependsOn that the CDK itself writes for functions and state machines.
 */
export async function templateFindings(...templates: string[]): Promise<string | undefined> {
  try {
    const [command, ...args] = await installTemplateLinter();
    const { stdout, stderr } = spawnSync(command, [...args, '--ignore-checks', 'W3005', '--format', 'parseable', '--', ...templates], {
      encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'],
    });
    return stdout + stderr;
  } catch (error) {
    if (error instanceof EmulatorUnavailable) {
      process.stderr.write(`SKIPPED: cfn-lint: ${error.message}\n`);
      return undefined;
    }
    throw error;
  }
}

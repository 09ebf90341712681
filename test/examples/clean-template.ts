import { spawnSync } from 'child_process';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { EmulatorUnavailable, installTemplateLinter } from '../../tools/emulator/installation';

/** Every finding, whether of a rule of cdk-nag or a warning of a construct, that nobody has acknowledged with a reason. */
export function cdkFindings(stack: Stack): string[] {
  return [
    ...new AwsSolutionsChecks().validateScope(stack).violations.map(({ ruleName }) => ruleName),
    ...Annotations.fromStack(stack).findWarning('*', Match.anyValue()).map(({ entry }) => String(entry.data)),
  ];
}

/** What cfn-lint finds in a template file. Undefined where it cannot be installed. */
export async function lintFindings(template: string): Promise<string | undefined> {
  try {
    const [command, ...args] = await installTemplateLinter();
    // W3005 is about the DependsOn that the CDK itself writes for functions and state machines.
    const { stdout, stderr } = spawnSync(command, [...args, '--ignore-checks', 'W3005', '--format', 'parseable', '--', template], {
      encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'],
    });
    return (stdout + stderr).trim();
  } catch (error) {
    if (error instanceof EmulatorUnavailable) {
      process.stderr.write(`SKIPPED: cfn-lint: ${error.message}\n`);
      return undefined;
    }
    throw error;
  }
}

/** Where the template of a stack lies. */
export function templateFile(stack: Stack): string {
  return `${(stack.node.root as App).synth().directory}/${stack.templateFile}`;
}

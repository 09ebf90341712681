import { spawnSync } from 'child_process';
import { App, Stack } from 'aws-cdk-lib';
import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { EmulatorUnavailable, installTemplateLinter } from '../../tools/emulator/installation';

/**
 * Tests that the template of an example is clean, as all must be.
 *
 * @param make makes its stack, once for all tests
 * @returns its template, for tests of what is special about it
 */
export function testCleanTemplate(make: () => Stack): () => Template {
  let stack: Stack;
  let template: Template;
  beforeAll(() => {
    stack = make();
    template = Template.fromStack(stack);
  }, 60_000);

  test('has no finding of cdk-nag AwsSolutions, and no warning', () => {
    expect(cdkFindings(stack)).toEqual([]);
  });

  test('has no finding of cfn-lint', async () => {
    expect(await lintFindings(templateFile(stack)) ?? '').toBe('');
  }, 120_000);

  return () => template;
}

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

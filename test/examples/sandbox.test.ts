import { spawnSync } from 'child_process';
import { join } from 'path';
import { App } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { SandboxStack } from '../../examples/sandbox/sandbox-stack';
import { EmulatorUnavailable, installTemplateLinter } from '../../tools/emulator/installation';

let app: App;
let stack: SandboxStack;
beforeAll(() => {
  app = new App();
  stack = new SandboxStack(app, 'Sandbox');
}, 60_000);

test('has no finding of cdk-nag AwsSolutions, and no warning', () => {
  expect(new AwsSolutionsChecks().validateScope(stack).violations.map(({ ruleName }) => ruleName)).toEqual([]);
  expect(Annotations.fromStack(stack).findWarning('*', Match.anyValue())).toEqual([]);
});

test('has no finding of cfn-lint', async () => {
  let python: string;
  try {
    python = await installTemplateLinter();
  } catch (error) {
    if (error instanceof EmulatorUnavailable) {
      process.stderr.write(`SKIPPED: cfn-lint: ${error.message}\n`);
      return;
    }
    throw error;
  }
  const template = join(app.synth().directory, 'Sandbox.template.json');
  // W3005 calls a DependsOn redundant where a reference to the same resource implies it; ours is on the role as well as on
  // its policy, because the order matters and the reference is an accident.
  const { stdout } = spawnSync(python, ['-m', 'cfnlint', '--ignore-checks', 'W3005', '--format', 'parseable', '--', template], { encoding: 'utf8' });
  expect(stdout.trim()).toBe('');
}, 120_000);

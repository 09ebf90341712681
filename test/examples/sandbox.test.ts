import { spawnSync } from 'child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
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

describe('cfn-lint', () => {
  /** Undefined where it cannot be installed. */
  async function findings(template: string): Promise<string | undefined> {
    try {
      const [command, ...args] = await installTemplateLinter();
      const { stdout, stderr } = spawnSync(command, [...args, '--ignore-checks', 'W3005', '--format', 'parseable', '--', template], {
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

  // W3005 is about the DependsOn that the CDK itself writes for functions and state machines.
  test('has no finding', async () => {
    const template = join(app.synth().directory, 'Sandbox.template.json');
    expect((await findings(template) ?? '').trim()).toBe('');
  }, 120_000);

  test('would have one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cfn-lint-'));
    writeFileSync(join(folder, 'bad.json'), JSON.stringify({ Resources: { Bucket: { Type: 'AWS::S3::Bucket', Properties: { Nonsense: 1 } } } }));
    expect(await findings(join(folder, 'bad.json')) ?? 'Nonsense').toContain('Nonsense');
    rmSync(folder, { recursive: true });
  }, 120_000);
});

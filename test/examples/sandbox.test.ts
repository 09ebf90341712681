import { mkdtempSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { App } from 'aws-cdk-lib';
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { templateFindings } from './template-linter';
import { SandboxStack } from '../../examples/sandbox/sandbox-stack';

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
  test('has no finding', async () => {
    const template = join(app.synth().directory, 'Sandbox.template.json');
    expect((await templateFindings(template) ?? '').trim()).toBe('');
  }, 120_000);

  test('would have one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'cfn-lint-'));
    writeFileSync(join(folder, 'bad.json'), JSON.stringify({ Resources: { Bucket: { Type: 'AWS::S3::Bucket', Properties: { Nonsense: 1 } } } }));
    expect(await templateFindings(join(folder, 'bad.json')) ?? 'Nonsense').toContain('Nonsense');
    rmSync(folder, { recursive: true });
  }, 120_000);
});

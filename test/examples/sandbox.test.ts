import { mkdtempSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { App } from 'aws-cdk-lib';
import { cdkFindings, lintFindings, templateFile } from './clean-template';
import { SandboxStack } from '../../examples/sandbox/sandbox-stack';

let stack: SandboxStack;
beforeAll(() => {
  stack = new SandboxStack(new App(), 'Sandbox');
}, 60_000);

test('has no finding of cdk-nag AwsSolutions, and no warning', () => {
  expect(cdkFindings(stack)).toEqual([]);
});

test('has no finding of cfn-lint', async () => {
  expect(await lintFindings(templateFile(stack)) ?? '').toBe('');
}, 120_000);

test('a bad template would have one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cfn-lint-'));
  writeFileSync(join(folder, 'bad.json'), JSON.stringify({ Resources: { Bucket: { Type: 'AWS::S3::Bucket', Properties: { Nonsense: 1 } } } }));
  expect(await lintFindings(join(folder, 'bad.json')) ?? 'Nonsense').toContain('Nonsense');
  rmSync(folder, { recursive: true });
}, 120_000);

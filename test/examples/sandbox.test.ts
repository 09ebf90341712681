import { mkdtempSync, rmSync, writeFileSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { App } from 'aws-cdk-lib';
import { lintFindings, testCleanTemplate } from './clean-template';
import { SandboxStack } from '../../examples/sandbox/sandbox-stack';

testCleanTemplate(() => new SandboxStack(new App(), 'Sandbox'));

test('a bad template would have one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cfn-lint-'));
  writeFileSync(join(folder, 'bad.json'), JSON.stringify({ Resources: { Bucket: { Type: 'AWS::S3::Bucket', Properties: { Nonsense: 1 } } } }));
  expect(await lintFindings(join(folder, 'bad.json')) ?? 'Nonsense').toContain('Nonsense');
  rmSync(folder, { recursive: true });
}, 120_000);

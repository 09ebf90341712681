import { App } from 'aws-cdk-lib';
import { cdkFindings, lintFindings, templateFile } from './clean-template';
import { TenantSandboxesStack } from '../../examples/tenant-sandboxes/tenant-sandboxes-stack';

let stack: TenantSandboxesStack;
beforeAll(() => {
  stack = new TenantSandboxesStack(new App(), 'TenantSandboxes', { tenants: ['ant', 'bee'] });
}, 60_000);

test('has no finding of cdk-nag AwsSolutions, and no warning', () => {
  expect(cdkFindings(stack)).toEqual([]);
});

test('has no finding of cfn-lint', async () => {
  expect(await lintFindings(templateFile(stack)) ?? '').toBe('');
}, 120_000);

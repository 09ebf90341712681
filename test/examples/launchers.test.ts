import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { cdkFindings, lintFindings, templateFile } from './clean-template';
import { LaunchersStack } from '../../examples/launchers/launchers-stack';

let stack: LaunchersStack;
let template: Template;
beforeAll(() => {
  // Nothing is bundled: pip has its registry to reach.
  stack = new LaunchersStack(new App({ context: { 'aws:cdk:bundling-stacks': [] } }), 'Launchers');
  template = Template.fromStack(stack);
}, 60_000);

test('has no finding of cdk-nag AwsSolutions, and no warning', () => {
  expect(cdkFindings(stack)).toEqual([]);
});

test('has no finding of cfn-lint', async () => {
  expect(await lintFindings(templateFile(stack)) ?? '').toBe('');
}, 120_000);

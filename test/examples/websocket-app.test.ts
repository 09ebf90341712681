import { App } from 'aws-cdk-lib';
import { cdkFindings, lintFindings, templateFile } from './clean-template';
import { WebsocketAppStack } from '../../examples/websocket-app/websocket-app-stack';

let stack: WebsocketAppStack;
beforeAll(() => {
  stack = new WebsocketAppStack(new App(), 'WebsocketApp');
}, 60_000);

test('has no finding of cdk-nag AwsSolutions, and no warning', () => {
  expect(cdkFindings(stack)).toEqual([]);
});

test('has no finding of cfn-lint', async () => {
  expect(await lintFindings(templateFile(stack)) ?? '').toBe('');
}, 120_000);

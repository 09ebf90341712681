import { App, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { isAllowed } from './access';
import { ACCOUNT, DeployedTemplate, REGION } from './deployed-template';
import { MicrovmCode, MicrovmImage, MicrovmImageProps } from '../../src';
import { EVENT_SOURCE } from '../../src/custom-resources/microvm-events';

const STACK_ID = `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/App/11111111-2222-3333-4444-555555555555`;
const HANDLER = 'LambdaMicrovmImageProviderIsCompleteRole';
const bus = (name: string, region = REGION, account = ACCOUNT) => `arn:aws:events:${region}:${account}:event-bus/${name}`;

function policiesOf(props: Partial<MicrovmImageProps>, use: (image: MicrovmImage) => void = () => undefined) {
  const stack = new Stack(new App(), 'App');
  use(new MicrovmImage(stack, 'Image', { code: MicrovmCode.fromInline({ dockerfile: 'FROM scratch\n' }), ...props }));
  const template = DeployedTemplate.of(stack, STACK_ID);
  return { template, policies: template.policiesOf(template.role(HANDLER)) };
}

async function mayPut(policies: ReturnType<typeof policiesOf>['policies'], resource: string, source: string = EVENT_SOURCE) {
  return isAllowed(policies, 'events:PutEvents', resource, { 'events:source': [source] });
}

test('without events the handler may put none', async () => {
  expect(await mayPut(policiesOf({}).policies, bus('default'))).toBe(false);
});

test.each<[string, Partial<MicrovmImageProps>, (image: MicrovmImage) => void, string, string[]]>([
  ['a rule is made', {}, (image) => image.onBuildFailed('Rule'), bus('default'), [bus('mine')]],
  [
    'a bus is given', { eventBus: events.EventBus.fromEventBusArn(new Stack(), 'Bus', bus('mine')) }, () => undefined, bus('mine'),
    [bus('default'), bus('mine2'), bus('mine', 'eu-west-1'), bus('mine', REGION, '999999999999')],
  ],
])('when %s, the handler may put events of this library there, and nothing else or elsewhere', async (_when, props, use, allowed, neighbours) => {
  const { policies } = policiesOf(props, use);
  expect(await mayPut(policies, allowed)).toBe(true);
  expect(await mayPut(policies, allowed, 'aws.ec2')).toBe(false);
  expect(await mayPut(policies, allowed, 'somebody.else')).toBe(false);
  for (const neighbour of neighbours) {
    expect([neighbour, await mayPut(policies, neighbour)]).toEqual([neighbour, false]);
  }
  for (const action of ['events:PutRule', 'events:PutTargets', 'events:DeleteRule', 'events:DeleteEventBus']) {
    const resource = /Rule|Targets/.test(action) ? `arn:aws:events:${REGION}:${ACCOUNT}:rule/any` : allowed;
    expect([action, await isAllowed(policies, action, resource)]).toEqual([action, false]);
  }
});

test('the functions of the CDK framework, and the one that only accepts requests, may put none', async () => {
  const { template } = policiesOf({}, (image) => image.onBuildFailed('Rule'));
  const others = template.logicalIds('AWS::IAM::Role').filter((id) => !id.includes(HANDLER));
  expect(others.length).toBeGreaterThan(3);
  for (const role of others) {
    expect([role, await mayPut(template.policiesOf(role), bus('default'))]).toEqual([role, false]);
  }
});

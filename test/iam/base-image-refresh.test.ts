import { App, Stack } from 'aws-cdk-lib';
import { isAllowed } from './access';
import { ACCOUNT, DeployedTemplate, REGION } from './deployed-template';
import { BaseImageRefresh } from '../../src';
import { imageIn } from '../constructs/fixtures';

const STACK_ID = `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/Golden/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0`;
const stack = new Stack(new App(), 'Golden');
const image = imageIn(stack, { imageName: 'golden' });
new BaseImageRefresh(stack, 'Refresh', { image });
const template = DeployedTemplate.of(stack, STACK_ID);

const arn = (service: string, resource: string, account = ACCOUNT) => `arn:aws:${service}:${REGION}:${account}:${resource}`;
const logicalId = (type: string, part: string) => template.logicalIds(type).find((id) => id.includes(part))!;
const fn = (part: string) => arn('lambda', `function:${logicalId('AWS::Lambda::Function', part)}`);
const schedule = arn('scheduler', `schedule/default/${template.properties(logicalId('AWS::Scheduler::Schedule', 'Refresh')).Name}`);
const machine = logicalId('AWS::StepFunctions::StateMachine', 'RefreshWorkflow');
const scheduleRole = template.roleArn(template.role('RefreshScheduleRole'));

const ROLES = { check: 'RefreshCheckHandlerRole', workflow: 'RefreshWorkflowRole', schedule: 'RefreshScheduleRole' };

test.each<[keyof typeof ROLES, string, string, Record<string, string>, boolean]>([
  ['check', 'lambda:GetMicrovmImage', arn('lambda', 'microvm-image:golden'), {}, true],
  ['check', 'lambda:ListMicrovmImageVersions', arn('lambda', 'microvm-image:golden'), {}, true],
  ['check', 'lambda:ListTags', arn('lambda', 'microvm-image:golden'), {}, true],
  ['check', 'lambda:ListManagedMicrovmImageVersions', arn('lambda', 'microvm-image:al2023-1', 'aws'), {}, true],
  ['check', 'lambda:GetMicrovmImage', arn('lambda', 'microvm-image:other'), {}, false],
  ['check', 'lambda:UpdateMicrovmImage', arn('lambda', 'microvm-image:golden'), {}, false],
  ['check', 'lambda:TagResource', arn('lambda', 'microvm-image:golden'), {}, false],
  ['workflow', 'lambda:InvokeFunction', fn('RefreshCheckHandler'), {}, true],
  ['workflow', 'lambda:InvokeFunction', fn('ImageProviderOnEvent'), {}, true],
  ['workflow', 'lambda:InvokeFunction', fn('ImageProviderIsComplete'), {}, true],
  ['workflow', 'lambda:InvokeFunction', fn('Frameworkframework'), {}, false],
  ['workflow', 'scheduler:GetSchedule', schedule, {}, true],
  ['workflow', 'scheduler:UpdateSchedule', schedule, {}, true],
  ['workflow', 'scheduler:UpdateSchedule', arn('scheduler', 'schedule/default/other'), {}, false],
  ['workflow', 'scheduler:DeleteSchedule', schedule, {}, false],
  ['workflow', 'iam:PassRole', scheduleRole, { 'iam:PassedToService': 'scheduler.amazonaws.com' }, true],
  ['workflow', 'iam:PassRole', scheduleRole, { 'iam:PassedToService': 'lambda.amazonaws.com' }, false],
  ['workflow', 'iam:PassRole', template.roleArn(template.role('IsCompleteRole')), { 'iam:PassedToService': 'scheduler.amazonaws.com' }, false],
  ['workflow', 'events:PutEvents', arn('events', 'event-bus/default'), { 'events:source': 'cdk-lambda-microvms' }, true],
  ['workflow', 'events:PutEvents', arn('events', 'event-bus/default'), { 'events:source': 'somebody-else' }, false],
])('%s: %s on %s %j is allowed: %s', async (role, action, resource, context, allowed) => {
  expect(resource).not.toMatch(/undefined/);
  expect(await isAllowed(template.policiesOf(template.role(ROLES[role])), action, resource, context)).toBe(allowed);
});

test('the schedule starts this state machine, and the state machine looks at its own executions, and no others', () => {
  const statement = (role: string, action: string) => template.policiesOf(template.role(role)).flatMap(({ Statement }) => Statement)
    .filter(({ Action }) => [Action].flat().includes(action)).map(({ Resource }) => Resource);
  expect(statement(ROLES.schedule, 'states:StartExecution')).toEqual([expect.stringMatching(new RegExp(`:stateMachine:${machine}$`))]);
  expect(statement(ROLES.workflow, 'states:ListExecutions')).toEqual([expect.stringMatching(new RegExp(`:stateMachine:${machine}$`))]);
});

test('the scheduler assumes its role for this account and its schedules only', () => {
  expect(template.properties(template.role(ROLES.schedule)).AssumeRolePolicyDocument.Statement).toEqual([expect.objectContaining({
    Principal: { Service: 'scheduler.amazonaws.com' },
    Condition: { StringEquals: { 'aws:SourceAccount': ACCOUNT, 'aws:SourceArn': arn('scheduler', 'schedule-group/default') } },
  })]);
});

import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { cdkFindings, lintFindings, templateFile } from './clean-template';
import { ChannelStack } from '../../examples/golden-image/channel-stack';
import { FollowingStack, PinnedStack } from '../../examples/golden-image/consumer-stacks';
import { PipelineStack } from '../../examples/golden-image/pipeline-stack';
import { PublisherStack } from '../../examples/golden-image/publisher-stack';

let stacks: Stack[];
beforeAll(() => {
  const app = new App();
  stacks = [
    new PublisherStack(app, 'GoldenImage'),
    new ChannelStack(app, 'GoldenImageStable', { version: '1.0' }),
    new FollowingStack(app, 'FollowingTeam'),
    new PinnedStack(app, 'PinnedTeam', { version: '1.0' }),
  ];
}, 60_000);

test('no stack has a finding of cdk-nag AwsSolutions, or a warning', () => {
  expect(stacks.flatMap((stack) => cdkFindings(stack).map((finding) => `${stack.stackName}: ${finding}`))).toEqual([]);
});

test('no template has a finding of cfn-lint', async () => {
  for (const stack of stacks) {
    expect(await lintFindings(templateFile(stack)) ?? '').toBe('');
  }
}, 120_000);

test('the pipeline asks before it promotes, after it has published', () => {
  const stack = new PipelineStack(new App(), 'Pipeline', {
    repository: 'org/golden-image', connectionArn: 'arn:aws:codestar-connections:us-east-1:123456789012:connection/1', stable: '2.0',
  });
  const [pipeline] = Object.values<any>(Template.fromStack(stack).findResources('AWS::CodePipeline::Pipeline'));
  const actions = pipeline.Properties.Stages.map(({ Name, Actions }: any) =>
    [Name, [...Actions].sort((a, b) => a.RunOrder - b.RunOrder).map(({ Name: action }: any) => action)]);
  expect(actions.slice(-2)).toEqual([
    ['Publish', ['Prepare', 'Deploy']],
    ['Promote', ['Approve', 'GoldenImageStable.Prepare', 'GoldenImageStable.Deploy']],
  ]);
}, 60_000);

test('a promotion changes one parameter of one stack, and no policy', () => {
  const of = (version: string) => Template.fromStack(new ChannelStack(new App(), 'GoldenImageStable', { version })).toJSON();
  const differences = (one: any, two: any) => Object.keys({ ...one, ...two }).filter((key) => JSON.stringify(one[key]) !== JSON.stringify(two[key]));
  const [before, after] = [of('1.0'), of('2.0')];
  const changed = differences(before.Resources, after.Resources).map((id) => after.Resources[id].Type);
  // The image's ARN comes from the record of the version: another parameter, with the same value.
  expect(changed.sort()).toEqual(['AWS::IAM::Policy', 'Custom::LambdaMicrovmImageChannel']);
});

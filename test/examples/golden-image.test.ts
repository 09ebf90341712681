import { isDeepStrictEqual } from 'util';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { cdkFindings, lintFindings, templateFile } from './clean-template';
import { ChannelStack } from '../../examples/golden-image/channel-stack';
import { FollowingStack, PinnedStack } from '../../examples/golden-image/consumer-stacks';
import { PipelineStack } from '../../examples/golden-image/pipeline-stack';
import { PublisherStack } from '../../examples/golden-image/publisher-stack';
import { CHANNEL_RESOURCE_TYPE, encodeRecord } from '../../src/custom-resources/microvm-image-publication/contract';
import { STACK_ID } from '../custom-resources/common/custom-resource';
import { DeployedTemplate } from '../iam/deployed-template';

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

test('a promotion changes the channel alone: its policy reads another record, and says the same', () => {
  const [before, after] = ['1.0', '2.0'].map((version) => {
    const stack = new ChannelStack(new App(), 'GoldenImageStable', { version });
    const record = encodeRecord({
      imageArn: 'arn:aws:lambda:us-east-1:000000000000:microvm-image:agents', version, baseImage: '-', codeDigest: '-', builtAt: '-', snapshots: [],
    });
    const deployed = DeployedTemplate.of(stack, STACK_ID, { [`/microvm-images/agents/versions/${version}`]: record });
    return { template: Template.fromStack(stack).toJSON(), deployed };
  });
  const ids = Object.keys(before.template.Resources);
  const typesOf = (changed: string[]) => changed.map((id) => before.template.Resources[id].Type).sort();
  const rewritten = ids.filter((id) => !isDeepStrictEqual(before.template.Resources[id], after.template.Resources[id]));
  const changed = ids.filter((id) => !isDeepStrictEqual(before.deployed.properties(id), after.deployed.properties(id)));

  expect(Object.keys(after.template.Resources)).toEqual(ids);
  expect(typesOf(rewritten)).toEqual(['AWS::IAM::Policy', CHANNEL_RESOURCE_TYPE]);
  expect(typesOf(changed)).toEqual([CHANNEL_RESOURCE_TYPE]);
});

import { App, CfnParameter, Duration, NestedStack, Size, Stack, Stage } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { ENV, imageIn, stackOf } from './fixtures';
import {
  BaseImageRefresh, BaseImageRefreshProps, IMicrovmImage, MicrovmConnector, MicrovmCostEstimate, MicrovmCostEstimateProps, MicrovmImage,
  MicrovmImageAlarms, MicrovmImageAlarmsProps, MicrovmImageChannel, MicrovmImageChannelProps, MicrovmImageDashboard, MicrovmImagePublication,
  MicrovmImagePublicationProps, MicrovmImageReplica, MicrovmImageSource, MicrovmPublicationAttributes, MicrovmSmokeCheck, MicrovmSmokeTest,
  MicrovmSmokeTestProps,
} from '../../src';

const imported = (stack: Stack): any => MicrovmImage.fromPublication(stack, 'Imported', { publicationName: 'agents', channel: 'stable' });
const token = (stack: Stack): string => new CfnParameter(stack, 'Parameter').valueAsString;
const number = (stack: Stack): number => new CfnParameter(stack, 'Number', { type: 'Number' }).valueAsNumber;
const sibling = (stack: Stack, env = ENV): Stack => new Stack(App.of(stack) as App, 'Sibling', { env });

function published(stack: Stack, props: Partial<MicrovmImagePublicationProps> = {}, id = 'Publication'): MicrovmImagePublication {
  return new MicrovmImagePublication(stack, id, { publicationName: 'agents', image: 'image' in props ? props.image! : imageIn(stack, {}, `${id}Image`), ...props });
}
function channel(stack: Stack, props: Partial<MicrovmImageChannelProps> = {}, id = 'Channel'): MicrovmImageChannel {
  return new MicrovmImageChannel(stack, id, { publicationName: 'agents', channel: 'stable', version: '3.0', ...props });
}
const consumed = (attrs: (stack: Stack) => Partial<MicrovmPublicationAttributes>) => (stack: Stack) =>
  MicrovmImage.fromPublication(stack, 'Agents', { publicationName: 'agents', ...attrs(stack) });
const tested = (props: Partial<Record<keyof MicrovmSmokeTestProps, unknown>>) => (stack: Stack) =>
  new MicrovmSmokeTest(stack, 'SmokeTest', { image: imageIn(stack), ...props } as MicrovmSmokeTestProps);
const refreshed = (props: Partial<Record<keyof BaseImageRefreshProps, unknown>>) => (stack: Stack) =>
  new BaseImageRefresh(stack, 'Refresh', { image: imageIn(stack), ...props } as BaseImageRefreshProps);
const watched = (props: Partial<Record<keyof MicrovmImageAlarmsProps, unknown>>) => (stack: Stack) =>
  new MicrovmImageAlarms(stack, 'Alarms', { image: imageIn(stack), ...props } as MicrovmImageAlarmsProps);
const estimated = (props: (stack: Stack) => Partial<Record<keyof MicrovmCostEstimateProps, unknown>>) => (stack: Stack) => new MicrovmCostEstimate({
  prices: { vcpuSecond: 1, gbSecond: 1, snapshotReadGb: 1, snapshotWriteGb: 1, snapshotStorageGbHour: 1 },
  snapshotSize: Size.gibibytes(1),
  ...props(stack),
} as MicrovmCostEstimateProps);

const UNKNOWN = ['publicationName, parameterPrefix, channel and version', 'while synthesizing', 'write it out'];

/** What is wrong, how to write it, and what the message must tell. */
const WRONG: Array<[string, (stack: Stack) => unknown, string[]]> = [
  ['a publication of no image', (stack) => published(stack, { image: undefined }), ['image must be a MicrovmImage that is defined in this app', 'got undefined']],
  ['a publication of an imported image', (stack) => published(stack, { image: imported(stack) }), ['image must be', 'defined in this app', "'Stack/Imported'"]],
  ['a publication without a name', (stack) => published(stack, { publicationName: undefined }), ['publicationName', "'undefined'", '1 to 64']],
  ['one channel instead of a list', (stack) => published(stack, { channels: 'candidate' as any }), ['channels', "'candidate'", 'a list of names']],
  ['one smoke test instead of a list', (stack) => published(stack, { smokeTests: tested({})(stack) as any }), ['smokeTests', "'Stack/SmokeTest'", 'a list of MicrovmSmokeTest']],
  ['something else among the smoke tests', (stack) => published(stack, { smokeTests: [{} as any] }), ['smokeTests', 'another object', 'MicrovmSmokeTest']],
  ['the record of a version without its minor part', (stack) => published(stack).recordParameterName('3'), ['imageVersion', "'3'", "'3.0'"]],
  ['a name that another stack of the account and region has', () => {
    const stack = stackOf({ env: ENV });
    published(stack);
    published(sibling(stack));
  }, ['publicationName', "'/microvm-images/agents'", "'Stack/Publication'", 'unique']],
  ['a publication in a nested stack of an image outside of it', (stack) => published(new NestedStack(stack, 'Nested') as Stack, { image: imageIn(stack) }), ["'Stack/Nested'", "got one of 'Stack'"]],
  ['a channel that the publication moves', (stack) => {
    published(stack);
    channel(stack, { channel: 'candidate' });
  }, ["channel 'candidate'", "'/microvm-images/agents'", "'Stack/Publication'", 'one construct', 'keep one']],
  ['a channel twice', (stack) => {
    channel(stack);
    channel(stack, { version: '2.0' }, 'Second');
  }, ["channel 'stable'", "'Stack/Channel'", 'one construct']],
  ['a version of a channel that only deployment knows', (stack) => channel(stack, { version: token(stack) }), UNKNOWN],
  ['a publication of a channel that only deployment knows', (stack) => channel(stack, { publicationName: token(stack) }), UNKNOWN],
  ['a name to consume that only deployment knows', consumed((stack) => ({ publicationName: token(stack), channel: 'stable' })), UNKNOWN],
  ['a channel to consume that only deployment knows', consumed((stack) => ({ channel: token(stack) })), UNKNOWN],
  ['a version to consume that only deployment knows', consumed((stack) => ({ version: token(stack) })), UNKNOWN],
  ['a prefix to pin below that only deployment knows', consumed((stack) => ({ parameterPrefix: token(stack), channel: 'stable', pinAtSynth: true })), UNKNOWN],
  ['a smoke test of no image', tested({ image: undefined }), ['image must be', 'got undefined']],
  ['a smoke test of an imported image', (stack) => tested({ image: imported(stack) })(stack), ['image must be', 'defined in this app', "'Stack/Imported'"]],
  ['a check as an object', tested({ check: { path: '/' } }), ['check must be a MicrovmSmokeCheck', 'another object', 'MicrovmSmokeCheck.http()']],
  ['a timeout as a number', tested({ timeout: 60 }), ['timeout must be a Duration', 'got 60']],
  ['the way out as a name', tested({ egressConnector: 'INTERNET_EGRESS' }), ['egressConnector must be a MicrovmConnector', "'INTERNET_EGRESS'"]],
  ['a way in as the way out of a test', tested({ egressConnector: MicrovmConnector.HTTP_INGRESS }), ['egressConnector', "got 'HTTP_INGRESS'"]],
  ['a check by no function', () => MicrovmSmokeCheck.fromFunction(undefined!), ['fn must be a Lambda function', 'got undefined']],
  ['a refresh of no image', refreshed({ image: undefined }), ['image must be', 'got undefined']],
  ['a refresh of an imported image', (stack) => refreshed({ image: imported(stack) })(stack), ['image must be', "'Stack/Imported'"]],
  ['a schedule as text', refreshed({ schedule: 'rate(1 day)' }), ['schedule must be a ScheduleExpression', "'rate(1 day)'"]],
  ['a schedule in words', refreshed({ schedule: scheduler.ScheduleExpression.expression('every tuesday') }), ['schedule', "'every tuesday'", "'rate(...)'", "'cron(...)'"]],
  ['a publication of a refresh by name', refreshed({ publication: 'agents' }), ['publication must be a MicrovmImagePublication', "'agents'"]],
  ['smoke tests of a refresh that are none', refreshed({ smokeTests: [undefined] }), ['smokeTests', 'undefined', 'MicrovmSmokeTest']],
  ['alarms of no image', watched({ image: undefined }), ['image must be', 'got undefined']],
  ['a build in fractions of a second', watched({ buildDuration: Duration.millis(1_500) }), ['buildDuration', '1 second 500 millis', 'whole number of seconds']],
  ['a base image age in hours', watched({ baseImageAge: Duration.hours(36) }), ['baseImageAge', '1 day 12 hours', 'whole number of days']],
  ['a dashboard of nothing', (stack) => new MicrovmImageDashboard(stack, 'Dashboard', { images: undefined! }), ['images', 'undefined', 'a list of MicrovmImage']],
  ['a source of no publication', (stack) => new MicrovmImageSource(stack, 'Source', { publication: undefined! }), ['publication', 'undefined', 'a MicrovmImagePublication']],
  ['a replica of a text', (stack) => new MicrovmImageReplica(stack, 'Replica', { definition: '{}' as any }), ['definition', "'{}'", 'MicrovmImageDefinition.fromFile()']],
  ['an estimate without prices', estimated(() => ({ prices: undefined })), ['vcpuSecond', 'undefined', 'from 0 on']],
  ['an estimate without one of the prices', estimated(() => ({ prices: { vcpuSecond: 1 } })), ['gbSecond', 'undefined', 'from 0 on']],
  ['an estimate without a size', estimated(() => ({ snapshotSize: undefined })), ['snapshotSize', 'undefined', 'while synthesizing']],
  ['a size that only deployment knows', estimated((stack) => ({ snapshotSize: Size.mebibytes(number(stack)) })), ['snapshotSize', 'only the deployment knows']],
  ['a duration that only deployment knows', estimated((stack) => ({ runDuration: Duration.seconds(number(stack)) })), ['runDuration', 'only the deployment knows']],
  ['runs that only deployment knows', estimated((stack) => ({ runsPerMonth: number(stack) })), ['runsPerMonth', 'only the deployment knows']],
];

test.each(WRONG)('%s fails the synth and says so', (_what, make, parts) => {
  let error: any;
  try {
    make(stackOf());
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ type: 'validation' });
  for (const part of parts) {
    expect(error.message).toContain(part);
  }
  // A token written into a text says nothing to anybody.
  expect(error.message).not.toContain('${Token');
});

describe('a name and a channel are free', () => {
  test('in another region', () => {
    const stack = stackOf({ env: ENV });
    published(stack);
    expect(() => published(sibling(stack, { ...ENV, region: 'eu-west-1' }))).not.toThrow();
  });

  test('in another stage, which is deployed on its own', () => {
    const app = new App();
    for (const id of ['Beta', 'Prod']) {
      const stack = new Stack(new Stage(app, id, { env: ENV }), 'Stack');
      published(stack);
      expect(() => channel(stack)).not.toThrow();
    }
  });

  test('in another stack without an environment, which may go elsewhere', () => {
    const stack = stackOf();
    published(stack);
    expect(() => published(new Stack(App.of(stack) as App, 'Sibling'))).not.toThrow();
  });

  test('under another prefix', () => {
    const stack = stackOf({ env: ENV });
    published(stack);
    expect(() => published(stack, { parameterPrefix: '/team-b' }, 'Second')).not.toThrow();
  });
});

test.each<[string, (stack: Stack) => IMicrovmImage]>([
  ['a channel', consumed(() => ({ channel: 'stable' }))],
  ['a version', consumed(() => ({ version: '3.0' }))],
  ['an ARN that only deployment knows', (stack) => MicrovmImage.fromImageArn(stack, 'Agents', token(stack))],
])('alarms of an image by %s are of the stack they are in', (_what, image) => {
  const stack = stackOf({ env: ENV });
  const alarms = new MicrovmImageAlarms(stack, 'Alarms', { image: image(stack) });
  Template.fromStack(stack).resourceCountIs('AWS::CloudWatch::Alarm', 4);
  expect(alarms.buildFailed.metric).toMatchObject({ region: ENV.region, account: ENV.account });
});

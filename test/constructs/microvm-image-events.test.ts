import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sns from 'aws-cdk-lib/aws-sns';
import { ENV, imageIn, imageResource, only, stackOf, statementsOf, text } from './fixtures';
import { MicrovmBaseImage, MicrovmImage, MicrovmImageEngine, MicrovmLaunchProfile } from '../../src';

const HANDLER = 'LambdaMicrovmImageProviderIsCompleteRole';
const DEFAULT_BUS = 'arn:<AWS::Partition>:events:<AWS::Region>:<AWS::AccountId>:event-bus/default';

const putting = (stack: Stack) => statementsOf(stack, HANDLER).filter(({ actions }) => actions.includes('events:PutEvents'));

test('nobody who asks for no events gets any: no permission, no property', () => {
  const stack = stackOf();
  const image = imageIn(stack);
  image.metricBuildsFailed();
  expect(putting(stack)).toEqual([]);
  expect(imageResource(stack).Properties).not.toHaveProperty('EventBusArn');
});

describe('a rule about an image', () => {
  test.each<[string, (image: MicrovmImage, target: events.IRuleTarget) => events.Rule, string]>([
    ['onBuildSucceeded', (image, target) => image.onBuildSucceeded('Rule', { target }), 'MicroVM Image Build Succeeded'],
    ['onBuildFailed', (image, target) => image.onBuildFailed('Rule', { target }), 'MicroVM Image Build Failed'],
    ['onVersionPruned', (image, target) => image.onVersionPruned('Rule', { target }), 'MicroVM Image Version Pruned'],
  ])('%s matches the events of this image alone, and turns them on', (_what, on, type) => {
    const stack = stackOf();
    on(imageIn(stack, { imageName: 'golden' }), new targets.SnsTopic(new sns.Topic(stack, 'Topic')));
    const { Properties: { EventPattern, Targets, State, EventBusName } } = only(stack, 'AWS::Events::Rule');
    expect({ ...EventPattern, resources: EventPattern.resources.map(text) }).toEqual({
      'source': ['cdk-lambda-microvms'],
      'detail-type': [type],
      'resources': ['arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:microvm-image:golden'],
    });
    expect([Targets.length, State, EventBusName]).toEqual([1, 'ENABLED', undefined]);
    expect(text(imageResource(stack).Properties.EventBusArn)).toBe(DEFAULT_BUS);
  });

  test('keeps the pattern, the name and the description it is given', () => {
    const stack = stackOf();
    imageIn(stack).onBuildFailed('Rule', { ruleName: 'broken', description: 'a hook', eventPattern: { detail: { stage: ['hook'] } } });
    expect(only(stack, 'AWS::Events::Rule').Properties).toMatchObject({
      Name: 'broken', Description: 'a hook', EventPattern: { detail: { stage: ['hook'] }, source: ['cdk-lambda-microvms'] },
    });
  });

  test('does not wait for the image, whose first build it would miss', () => {
    const stack = stackOf();
    imageIn(stack).onBuildFailed('Rule');
    const rule = only(stack, 'AWS::Events::Rule');
    expect(rule.DependsOn).toBeUndefined();
    expect(JSON.stringify(rule)).not.toContain('ImageVersion');
    expect(JSON.stringify(rule)).not.toContain('Image9D742C96');
  });

  test('may call a function that launches the image: there is no cycle', () => {
    const stack = stackOf();
    const image = imageIn(stack);
    const launcher = new lambda.Function(stack, 'Launcher', { runtime: lambda.Runtime.NODEJS_22_X, handler: 'x', code: lambda.Code.fromInline('x') });
    new MicrovmLaunchProfile(stack, 'Profile', { image }).addToFunction(launcher);
    image.onBuildSucceeded('Rule', { target: new targets.LambdaFunction(launcher) });
    expect(() => Template.fromStack(stack)).not.toThrow();
  });

  test('may be in another stack', () => {
    const app = new App();
    const image = imageIn(new Stack(app, 'Images', { env: ENV }));
    const other = new Stack(app, 'Other', { env: ENV });
    image.onBuildFailed('Rule', { crossStackScope: other });
    expect(text(only(other, 'AWS::Events::Rule').Properties.EventPattern.resources[0])).toContain(`${ENV.region}:${ENV.account}:microvm-image:`);
  });
});

describe('the handler', () => {
  test('may put this library\'s events on the default bus, and on no other, once for all images', () => {
    const stack = stackOf();
    imageIn(stack, {}, 'One').onBuildFailed('Failed');
    const two = imageIn(stack, {}, 'Two');
    two.onBuildFailed('Failed');
    two.onBuildSucceeded('Succeeded');
    expect(putting(stack)).toEqual([{
      actions: ['events:PutEvents'],
      resources: [DEFAULT_BUS],
      condition: { 'ForAllValues:StringEquals': { 'events:source': 'cdk-lambda-microvms' } },
    }]);
  });

  test('puts them on a bus that is given, without a rule', () => {
    const stack = stackOf();
    imageIn(stack, { eventBus: new events.EventBus(stack, 'Bus') });
    expect(putting(stack).map(({ resources }) => resources)).toEqual([[expect.stringMatching(/^<Bus\w+\.Arn>$/)]]);
    expect(text(imageResource(stack).Properties.EventBusArn)).toMatch(/^<Bus\w+\.Arn>$/);
    expect(Object.keys(Template.fromStack(stack).findResources('AWS::Events::Rule'))).toEqual([]);
  });

  test('of a bus that is given, the rules are on that bus', () => {
    const stack = stackOf();
    imageIn(stack, { eventBus: new events.EventBus(stack, 'Bus') }).onBuildFailed('Rule');
    expect(text(only(stack, 'AWS::Events::Rule').Properties.EventBusName)).toMatch(/^<Bus/);
  });
});

test('turning events on asks for nothing that a new version is built from', () => {
  const [without, withEvents] = [false, true].map((wanted) => {
    const stack = stackOf();
    const image = imageIn(stack);
    if (wanted) {
      image.onBuildFailed('Rule');
    }
    const { EventBusArn, ...properties } = imageResource(stack).Properties;
    expect(EventBusArn !== undefined).toBe(wanted);
    return properties;
  });
  expect(withEvents).toEqual(without);
});

describe('an image that CloudFormation builds', () => {
  const native = (more = {}) => imageIn(stackOf(), {
    engine: MicrovmImageEngine.cloudFormation({ keepVersions: 5 }), baseImage: MicrovmBaseImage.AL2023_1.pinned('1'), ...more,
  });

  test.each<[string, (image: MicrovmImage) => unknown]>([
    ['events', (image) => image.onBuildSucceeded('Rule')],
    ['events', (image) => image.onBuildFailed('Rule')],
    ['events', (image) => image.onVersionPruned('Rule')],
    ['metrics', (image) => image.metric('BuildDuration')],
    ['metrics', (image) => image.metricVersions()],
  ])('has no %s, and the error names the engine that has', (what, use) => {
    expect(() => use(native())).toThrow(new RegExp(`no ${what} of an image that CloudFormation builds.*use MicrovmImageEngine\\.custom\\(\\)`));
  });

  test('takes no bus', () => {
    const bus = events.EventBus.fromEventBusName(stackOf(), 'Bus', 'mine');
    expect(() => native({ eventBus: bus })).toThrow(/MicrovmImageEngine\.custom\(\)/);
  });
});

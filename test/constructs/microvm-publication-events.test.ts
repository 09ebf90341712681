import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as events from 'aws-cdk-lib/aws-events';
import * as targets from 'aws-cdk-lib/aws-events-targets';
import * as sns from 'aws-cdk-lib/aws-sns';
import { AwsSolutionsChecks } from 'cdk-nag';
import { ENV, imageIn, only, resources, stackOf, statementsOf, text } from './fixtures';
import {
  BaseImageRefresh, MicrovmImageChannel, MicrovmImageChannelProps, MicrovmImagePublication, MicrovmImagePublicationProps, MicrovmSmokeTest,
} from '../../src';
import { CHANNEL_RESOURCE_TYPE, PUBLICATION_RESOURCE_TYPE } from '../../src/custom-resources/microvm-image-publication/contract';

const HANDLER = 'LambdaMicrovmImagePublicationProviderIsCompleteRole';
const DEFAULT_BUS = 'arn:<AWS::Partition>:events:<AWS::Region>:<AWS::AccountId>:event-bus/default';
const PARAMETERS = 'arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter/microvm-images/agents';
const IMAGE = 'arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:microvm-image:golden';

function publicationIn(stack: Stack, props: Partial<MicrovmImagePublicationProps> = {}): MicrovmImagePublication {
  const image = imageIn(stack, { imageName: 'golden' });
  return new MicrovmImagePublication(stack, 'Publication', {
    image, publicationName: 'agents', smokeTests: [new MicrovmSmokeTest(stack, 'SmokeTest', { image })], ...props,
  });
}
const channelIn = (stack: Stack, props: Partial<MicrovmImageChannelProps> = {}, id = 'Stable') =>
  new MicrovmImageChannel(stack, id, { publicationName: 'agents', channel: 'stable', version: '3.0', ...props });

const allowed = (stack: Stack, action: string) => statementsOf(stack, HANDLER).filter(({ actions }) => actions.includes(action));
const busOf = (stack: Stack, type: string) => text(only(stack, type).Properties.EventBusArn);
const patternOf = (stack: Stack) => {
  const { EventPattern } = only(stack, 'AWS::Events::Rule').Properties;
  return { ...EventPattern, resources: EventPattern.resources?.map(text) };
};
/** Without what one of two stacks has because of its rules. */
const withoutRules = (stack: Stack) => Object.fromEntries(Object.entries(Template.fromStack(stack).toJSON().Resources)
  .filter(([, { Type }]: [string, any]) => Type !== 'AWS::Events::Rule'));

test('nobody who asks for no events gets any: no property, no permission', () => {
  const stack = stackOf();
  publicationIn(stack);
  channelIn(stack);
  expect(only(stack, PUBLICATION_RESOURCE_TYPE).Properties).not.toHaveProperty('EventBusArn');
  expect(only(stack, CHANNEL_RESOURCE_TYPE).Properties).not.toHaveProperty('EventBusArn');
  expect(allowed(stack, 'events:PutEvents')).toEqual([]);
});

describe('a rule about a publication', () => {
  test.each<[string, (publication: MicrovmImagePublication, options: events.OnEventOptions) => events.Rule, string]>([
    ['onPublished', (publication, options) => publication.onPublished('Rule', options), 'MicroVM Image Published'],
    ['onPromoted', (publication, options) => publication.onPromoted('Rule', options), 'MicroVM Image Promoted'],
  ])('%s matches the events of its image, and turns them on', (_what, on, type) => {
    const stack = stackOf();
    on(publicationIn(stack), { target: new targets.SnsTopic(new sns.Topic(stack, 'Topic')) });
    expect(patternOf(stack)).toEqual({ 'source': ['cdk-lambda-microvms'], 'detail-type': [type], 'resources': [IMAGE] });
    expect(only(stack, 'AWS::Events::Rule').Properties).toMatchObject({ State: 'ENABLED', Targets: [expect.anything()] });
    expect(only(stack, 'AWS::Events::Rule').DependsOn).toBeUndefined();
    expect(busOf(stack, PUBLICATION_RESOURCE_TYPE)).toBe(DEFAULT_BUS);
  });

  test('is narrowed to one channel by the pattern it is given', () => {
    const stack = stackOf();
    publicationIn(stack).onPromoted('Rule', { ruleName: 'candidates', eventPattern: { detail: { channel: ['candidate'] } } });
    expect(patternOf(stack)).toMatchObject({ resources: [IMAGE], detail: { channel: ['candidate'] } });
    expect(only(stack, 'AWS::Events::Rule').Properties.Name).toBe('candidates');
  });

  test('may be in another stack', () => {
    const app = new App();
    const publication = publicationIn(new Stack(app, 'Golden', { env: ENV }));
    const other = new Stack(app, 'Other', { env: ENV });
    publication.onPromoted('Rule', { crossStackScope: other });
    expect(patternOf(other).resources).toEqual([expect.stringContaining(`${ENV.region}:${ENV.account}:microvm-image:golden`)]);
  });
});

describe('a rule about a channel', () => {
  const promoted = { 'source': ['cdk-lambda-microvms'], 'detail-type': ['MicroVM Image Promoted'] };

  test('matches the moves of this channel alone, also of a publication with the same name elsewhere, and turns events on', () => {
    const stack = stackOf();
    channelIn(stack, { parameterPrefix: '/org/images' }).onPromoted('Rule');
    expect(patternOf(stack)).toEqual({ ...promoted, detail: { parameterName: ['/org/images/agents/channels/stable'] } });
    expect(busOf(stack, CHANNEL_RESOURCE_TYPE)).toBe(DEFAULT_BUS);
  });

  test('takes nothing over from another that was given the same pattern', () => {
    const stack = stackOf();
    const eventPattern = { detail: { previousVersion: [{ exists: true }] } };
    for (const channel of ['stable', 'beta']) {
      channelIn(stack, { channel }, channel).onPromoted('Rule', { eventPattern });
    }
    expect(Object.values(resources(stack, 'AWS::Events::Rule')).map(({ Properties }) => Properties.EventPattern.detail)).toEqual(
      ['stable', 'beta'].map((channel) => ({ previousVersion: [{ exists: true }], parameterName: [`/microvm-images/agents/channels/${channel}`] })));
    expect(eventPattern).toEqual({ detail: { previousVersion: [{ exists: true }] } });
  });
});

describe('the handler', () => {
  const putting = (...buses: unknown[]) => ({
    actions: ['events:PutEvents'], resources: buses, condition: { 'ForAllValues:StringEquals': { 'events:source': 'cdk-lambda-microvms' } },
  });

  test('may put this library\'s events on the default bus, and on no other, once for all publications and channels', () => {
    const stack = stackOf();
    const publication = publicationIn(stack);
    publication.onPublished('Published');
    publication.onPromoted('Promoted');
    channelIn(stack).onPromoted('Promoted');
    expect(allowed(stack, 'events:PutEvents')).toEqual([putting(DEFAULT_BUS)]);
  });

  test('puts them on buses that are given, without a rule', () => {
    const stack = stackOf();
    publicationIn(stack, { eventBus: new events.EventBus(stack, 'One') });
    channelIn(stack, { eventBus: new events.EventBus(stack, 'Two') });
    expect(allowed(stack, 'events:PutEvents')).toEqual([putting(expect.stringMatching(/^<One\w+\.Arn>$/), expect.stringMatching(/^<Two\w+\.Arn>$/))]);
    expect(busOf(stack, PUBLICATION_RESOURCE_TYPE)).toMatch(/^<One/);
    expect(busOf(stack, CHANNEL_RESOURCE_TYPE)).toMatch(/^<Two/);
    expect(resources(stack, 'AWS::Events::Rule')).toEqual({});
  });

  test('of a bus that is given, the rules are on that bus', () => {
    const stack = stackOf();
    publicationIn(stack, { eventBus: new events.EventBus(stack, 'Bus') }).onPublished('Rule');
    expect(text(only(stack, 'AWS::Events::Rule').Properties.EventBusName)).toMatch(/^<Bus/);
  });

  test('has the permission before it publishes', () => {
    const stack = stackOf();
    publicationIn(stack).onPublished('Rule');
    const [fn] = Object.entries(resources(stack, 'AWS::Lambda::Function')).filter(([id]) => id.startsWith(HANDLER.replace('Role', '')));
    expect(fn[1].DependsOn).toContainEqual(expect.stringMatching(new RegExp(`^${HANDLER}DefaultPolicy`)));
  });

  test('may read what a channel named before, of this publication', () => {
    const stack = stackOf();
    publicationIn(stack).onPromoted('Rule');
    expect(allowed(stack, 'ssm:GetParameters')).toEqual([
      { actions: ['ssm:GetParametersByPath', 'ssm:GetParameters'], resources: [PARAMETERS, `${PARAMETERS}/*`] },
    ]);
  });
});

test('turning events on changes the bus and the permissions of the handler, and nothing else', () => {
  const [without, withEvents] = [false, true].map((wanted) => {
    const stack = stackOf();
    const publication = publicationIn(stack);
    if (wanted) {
      publication.onPublished('Rule');
    }
    return withoutRules(stack);
  });
  const changed = Object.keys(withEvents).filter((id) => JSON.stringify(withEvents[id]) !== JSON.stringify(without[id]));
  expect(changed.map((id) => id.replace(/[0-9A-F]{8}$/, '')).sort()).toEqual([
    HANDLER.replace('Role', ''), `${HANDLER}DefaultPolicy`, 'Publication', 'PublicationHandlerPolicy',
  ]);
});

test.each([true, false])('a base image refresh publishes with the events the publication has: %s', (wanted) => {
  const stack = stackOf();
  const publication = publicationIn(stack);
  new BaseImageRefresh(stack, 'Refresh', { image: publication.image, publication });
  if (wanted) {
    publication.onPromoted('Rule');
  }
  const [workflow] = Object.values(resources(stack, 'AWS::StepFunctions::StateMachine'))
    .map(({ Properties }) => text(Properties.DefinitionString)).filter((definition) => definition.includes('the publication'));
  const { properties } = JSON.parse(workflow).States['Is it still ours before the publication'].Assign;
  expect(JSON.parse(properties).EventBusArn).toBe(wanted ? DEFAULT_BUS : undefined);
});

test('cdk-nag finds nothing', () => {
  const stack = stackOf();
  publicationIn(stack, { eventBus: new events.EventBus(stack, 'Bus') }).onPublished('Rule');
  channelIn(stack).onPromoted('Rule');
  expect(new AwsSolutionsChecks().validateScope(stack).violations.map(({ ruleName }) => ruleName)).toEqual([]);
});

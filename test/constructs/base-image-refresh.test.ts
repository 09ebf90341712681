import { App, Stack } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { imageIn, only, resources, stackOf, text } from './fixtures';
import { BaseImageRefresh, BaseImageRefreshProps, MicrovmBaseImage, MicrovmImage, MicrovmImageEngine, MicrovmImagePublication, MicrovmSmokeTest } from '../../src';

function refreshIn(stack: Stack, props: Partial<BaseImageRefreshProps> = {}, image: MicrovmImage = imageIn(stack)): BaseImageRefresh {
  return new BaseImageRefresh(stack, 'Refresh', { image, ...props });
}

function workflow(stack: Stack): any {
  const [machine] = Object.values(resources(stack, 'AWS::StepFunctions::StateMachine'))
    .filter(({ Properties }) => text(Properties.DefinitionString).includes('Did the base image move'));
  return JSON.parse(text(machine.Properties.DefinitionString));
}

describe('the schedule', () => {
  test('starts the state machine once a day, within a quarter of an hour', () => {
    const stack = stackOf();
    refreshIn(stack);
    expect(only(stack, 'AWS::Scheduler::Schedule').Properties).toMatchObject({
      ScheduleExpression: 'rate(1 day)',
      State: 'ENABLED',
      FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 },
      Target: { Input: '{"force":false}', Arn: { Ref: expect.stringMatching(/^RefreshWorkflow/) } },
    });
  });

  test('is enabled again by a deployment that changes what the image is built from, and by no change of tags', () => {
    const description = (props: object) => {
      const stack = stackOf();
      refreshIn(stack, {}, imageIn(stack, props));
      return only(stack, 'AWS::Scheduler::Schedule').Properties.Description;
    };
    expect(description({ description: 'mended' })).not.toEqual(description({}));
    expect(description({ tags: { team: 'a' } })).toEqual(description({}));
  });

  test('has the name that the state machine disables', () => {
    const stack = stackOf();
    refreshIn(stack);
    const { Name } = only(stack, 'AWS::Scheduler::Schedule').Properties;
    expect(workflow(stack).States['Find the schedule'].Arguments).toEqual({ Name });
    expect(Name).toMatch(/^[0-9a-zA-Z-_.]{1,64}$/);
  });
});

describe('the state machine', () => {
  test('hands the image over as the template has it, in one text that is never taken for an expression', () => {
    const stack = stackOf();
    refreshIn(stack, {}, imageIn(stack, { environment: { TRICK: '{% $states.context %}', QUOTE: 'a"b' } }));
    const { ImageProperties } = workflow(stack).States['Did the base image move'].Arguments.Payload;
    expect(ImageProperties).toMatch(/^\{"/);
    expect(JSON.parse(ImageProperties)).toMatchObject({ EnvironmentVariables: { TRICK: '{% $states.context %}', QUOTE: 'a"b' } });
    expect(JSON.parse(ImageProperties)).not.toHaveProperty('ServiceToken');
  });

  test('leads from every state to states that are there, and every state can be reached', () => {
    const stack = stackOf();
    refreshIn(stack, ...tested(stack));
    const { StartAt, States } = workflow(stack);
    const reached = new Set<string>();
    const visit = (name: string) => {
      if (!reached.has(name)) {
        reached.add(name);
        const state = States[name];
        expect([name, state]).not.toContain(undefined);
        [state.Next, state.Default, ...(state.Choices ?? []).map((each: any) => each.Next), ...(state.Catch ?? []).map((each: any) => each.Next)]
          .filter((next) => next !== undefined).forEach(visit);
      }
    };
    visit(StartAt);
    expect([...reached].sort()).toEqual(Object.keys(States).sort());
  });

  test('takes the steps in their order, and commits when they are done', () => {
    const stack = stackOf();
    refreshIn(stack, ...tested(stack));
    const { States } = workflow(stack);
    const path = ['Is the image built'];
    while (States[path[path.length - 1]].Type !== 'Succeed') {
      const state = States[path[path.length - 1]];
      path.push(state.Next ?? state.Choices[0].Next);
    }
    expect(path.filter((name) => !name.endsWith('?') && !name.startsWith('Prepare'))).toEqual([
      'Is the image built',
      'Is it still ours before smoke test 1', 'Accept smoke test 1', 'Is smoke test 1 done',
      'Is it still ours before the publication', 'Accept the publication', 'Is the publication done',
      'Commit the version', 'Tell of the version', 'Refreshed',
    ]);
  });

  test('is deployed after the image, its test and its publication, so that it never is ahead of what is served', () => {
    const stack = stackOf();
    refreshIn(stack, ...tested(stack));
    const [machine] = Object.values(resources(stack, 'AWS::StepFunctions::StateMachine')).filter(({ DependsOn }) => JSON.stringify(DependsOn).includes('WorkflowRole'));
    for (const served of [/^Image[0-9A-F]{8}$/, /^SmokeTest[0-9A-F]{8}$/, /^Publication[0-9A-F]{8}$/]) {
      expect(machine.DependsOn).toContainEqual(expect.stringMatching(served));
    }
  });
});

test('the alarm goes off below 90 days, of the least that was seen, and stays between looks', () => {
  const stack = stackOf();
  const image = imageIn(stack);
  refreshIn(stack, {}, image);
  expect(only(stack, 'AWS::CloudWatch::Alarm').Properties).toMatchObject({
    Namespace: 'CdkLambdaMicrovms',
    MetricName: 'BaseImageDaysLeft',
    Statistic: 'Minimum',
    ComparisonOperator: 'LessThanThreshold',
    Threshold: 90,
    TreatMissingData: 'ignore',
    Dimensions: [{ Name: 'ImageName', Value: image._physicalName }],
  });
});

test('the alarm goes off as late as it is told to', () => {
  const stack = stackOf();
  refreshIn(stack, { alarmDaysLeft: 30 });
  expect(only(stack, 'AWS::CloudWatch::Alarm').Properties.Threshold).toBe(30);
});

test('only the scheduler of this account, for a schedule of its default group, starts the state machine', () => {
  const stack = stackOf();
  refreshIn(stack);
  const [role] = Object.values(resources(stack, 'AWS::IAM::Role')).filter(({ Properties }) => JSON.stringify(Properties).includes('scheduler.amazonaws.com"}'));
  const [{ Condition: { StringEquals } }] = role.Properties.AssumeRolePolicyDocument.Statement;
  expect(Object.fromEntries(Object.entries(StringEquals).map(([key, value]) => [key, text(value)]))).toEqual({
    'aws:SourceAccount': '<AWS::AccountId>',
    'aws:SourceArn': 'arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>:schedule-group/default',
  });
});

test('an event has the id of the execution, by which it is the same when it comes twice', () => {
  const stack = stackOf();
  refreshIn(stack);
  const { States } = workflow(stack);
  const details = ['version', 'failure', 'disabled schedule'].map((what) => States[`Tell of the ${what}`].Arguments.Entries[0].Detail);
  expect(details).toEqual(Array.from({ length: 3 }, () => expect.objectContaining({ id: '{% $states.context.Execution.Id %}' })));
});

test('rules find the events of this image only', () => {
  const stack = stackOf();
  const refresh = refreshIn(stack);
  refresh.onFailed('Failed');
  const pattern = only(stack, 'AWS::Events::Rule').Properties.EventPattern;
  expect(pattern).toEqual({
    'source': ['cdk-lambda-microvms'],
    'detail-type': ['MicroVM Base Image Refresh Failed'],
    'resources': [{ Ref: expect.stringMatching(/^Image/) }],
  });
});

describe('fails', () => {
  test.each<[string, (stack: Stack) => unknown, RegExp]>([
    ['a pinned base image', (stack) => refreshIn(stack, {}, imageIn(stack, { baseImage: MicrovmBaseImage.AL2023_1.pinned('1') })),
      /image 'Stack\/Image' must follow its base image, but is pinned to version '1'; use baseImage: MicrovmBaseImage\.AL2023_1\.newest\(\)/],
    ['the CloudFormation engine', (stack) => refreshIn(stack, {}, imageIn(stack, {
      baseImage: MicrovmBaseImage.AL2023_1.pinned('1'), engine: MicrovmImageEngine.cloudFormation(),
    })), /must be built by MicrovmImageEngine\.custom\(\)/],
    ['an image of another stack', (stack) => refreshIn(stack, {}, imageIn(new Stack(App.of(stack) as App, 'Other'))), /must be in the stack of its refresh/],
    ['no failure at all', (stack) => refreshIn(stack, { maxFailures: 0 }), /maxFailures must be a whole number from 1 to 100, got 0/],
    ['more days than there are', (stack) => refreshIn(stack, { alarmDaysLeft: 91 }), /alarmDaysLeft must be a whole number from 1 to 90, got 91/],
  ])('with %s', (_what, make, message) => {
    expect(() => make(stackOf())).toThrow(message);
  });
});

test('cdk-nag finds nothing', () => {
  const stack = stackOf();
  refreshIn(stack);
  expect(new AwsSolutionsChecks().validateScope(stack).violations.map(({ ruleName }) => ruleName)).toEqual([]);
});

/** An image that is tested and published, and its refresh too. */
function tested(stack: Stack): [Partial<BaseImageRefreshProps>, MicrovmImage] {
  const image = imageIn(stack);
  const smokeTests = [new MicrovmSmokeTest(stack, 'SmokeTest', { image })];
  return [{ publication: new MicrovmImagePublication(stack, 'Publication', { image, publicationName: 'agents', smokeTests }) }, image];
}

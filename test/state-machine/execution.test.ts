import { Definition, Execution, TaskFailure } from './execution';
import { evaluate } from './jsonata';

describe('an expression', () => {
  const states = { input: { due: true, force: null }, result: { Payload: { Data: { ImageVersion: '2.0' } }, Executions: [{ Status: 'FAILED' }, { Status: 'SUCCEEDED' }, { Status: 'TIMED_OUT' }] } };
  const variables = { states, event: { a: 1, b: { c: 'd' } }, version: '3.0', failures: 2, properties: '{"ImageVersion":"1.0","Keep":2}' };

  test.each<[string, unknown]>([
    ['$states.input.due', true],
    ['$states.result.Payload.Data.ImageVersion', '2.0'],
    ['$states.input.force = true', false],
    ['$states.input.missing = true', false],
    ['$states.input.missing', undefined],
    ['$merge([$event, {"b": 2, "x": $states.input.missing}])', { a: 1, b: 2 }],
    ['$merge([$parse($properties), {"ImageVersion": $version}])', { ImageVersion: '3.0', Keep: 2 }],
    ["$states.input.due ? 'yes' : $states.nothing.here", 'yes'],
    ["$states.input.force ? 'yes' : ''", ''],
    ["$count($states.result.Executions[Status in ['FAILED', 'TIMED_OUT']]) + 1", 3],
    ["$count($states.result.Executions[Status in ['FAILED']]) + 1", 2],
    ["$count($states.result.Executions[Status in ['ABORTED']])", 0],
    ['$states.result.Executions.Status', ['FAILED', 'SUCCEEDED', 'TIMED_OUT']],
    ['$failures >= 2', true],
    ["'failed ' & $version & $states.input.missing", 'failed 3.0'],
    ["$merge([$sift($event, function($value, $key) { $not($key in ['a']) }), {'State': 'DISABLED'}])", { b: { c: 'd' }, State: 'DISABLED' }],
  ])('%s', (expression, value) => {
    expect(evaluate(expression, variables)).toEqual(value);
  });

  test.each(['$states.input.due and true', '$sum([1])', '$unknown', '1 - 1', '$event ~> $count', '"a\\"b"', '$states.**', '{"a": 1} = {"a": 1}', '1 2'])(
    'that says more than is played is an error: %s', (expression) => {
      expect(() => evaluate(expression, variables)).toThrow(/not played|there is no variable/);
    });
});

describe('an execution', () => {
  let now = 0;
  const failures: TaskFailure[] = [];
  const asked: unknown[] = [];
  const task = { Type: 'Task', Resource: 'ask', Arguments: { Text: 'as {% it %} is', Value: '{% $states.input.n %}' }, Next: 'End' };
  const run = (states: Record<string, object>, input: unknown = { n: 1 }) => new Execution(
    { StartAt: 'Start', QueryLanguage: 'JSONata', States: { End: { Type: 'Succeed' }, ...states } } as unknown as Definition, input,
    {
      stateMachineArn: 'machine',
      executionArn: 'execution',
      now: () => now,
      task: async (resource, args) => {
        asked.push([resource, args]);
        const failure = failures.shift();
        if (failure) {
          throw failure;
        }
        return { Payload: { n: args.Value + 1 } };
      },
    },
  );
  const toItsEnd = async (execution: Execution) => {
    while (execution.status === 'RUNNING') {
      now = Math.max(now, execution.waitsUntil);
      await execution.step();
    }
    return execution;
  };

  beforeEach(() => {
    now = 0;
    failures.length = asked.length = 0;
  });

  test('evaluates what is an expression from end to end, and hands the output on', async () => {
    const { status } = await toItsEnd(run({ Start: { ...task, Output: '{% $states.result.Payload %}', Next: 'Again' }, Again: { ...task, Next: 'End' } }));
    expect([status, asked]).toEqual(['SUCCEEDED', [['ask', { Text: 'as {% it %} is', Value: 1 }], ['ask', { Text: 'as {% it %} is', Value: 2 }]]]);
  });

  test('assigns with the variables as they were before', async () => {
    const { cause } = await toItsEnd(run({
      Start: { Type: 'Pass', Assign: { a: 'one', b: 'two' }, Next: 'Swap' },
      Swap: { Type: 'Pass', Assign: { a: '{% $b %}', b: '{% $a %}' }, Next: 'Tell' },
      Tell: { Type: 'Fail', Error: 'E', Cause: '{% $a & $b %}' },
    }));
    expect(cause).toBe('twoone');
  });

  test('tries again what its Retry names, later and later, and then catches', async () => {
    failures.push(...Array.from({ length: 3 }, () => new TaskFailure('Sandbox.Timedout', 'slow')));
    const execution = await toItsEnd(run({
      Start: {
        ...task,
        Retry: [{ ErrorEquals: ['Sandbox.Timedout'], IntervalSeconds: 5, MaxAttempts: 2, BackoffRate: 2 }],
        Catch: [{ ErrorEquals: ['Other'], Next: 'End' }, { ErrorEquals: ['States.ALL'], Assign: { failure: '{% $states.errorOutput %}' }, Next: 'Tell' }],
      },
      Tell: { Type: 'Fail', Error: '{% $failure.Error %}', Cause: '{% $failure.Cause %}' },
    }));
    expect([execution.error, execution.cause, asked.length, now]).toEqual(['Sandbox.Timedout', 'slow', 3, 15_000]);
  });

  test('catches an expression that comes to nothing, and fails where nobody does', async () => {
    const nothing = { ...task, Arguments: '{% $states.input.missing %}' };
    expect((await toItsEnd(run({ Start: nothing }))).error).toBe('States.QueryEvaluationError');
    expect((await toItsEnd(run({ Start: { ...nothing, Catch: [{ ErrorEquals: ['States.ALL'], Next: 'End' }] } }))).status).toBe('SUCCEEDED');
  });

  test('waits, chooses, and does no more when it was stopped', async () => {
    const execution = run({
      Start: { Type: 'Choice', Choices: [{ Condition: '{% $states.input.n >= 2 %}', Next: 'End' }], Default: 'Rest' },
      Rest: { Type: 'Wait', Seconds: 30, Next: 'Start' },
    });
    await execution.step();
    await execution.step();
    expect([execution.visited, execution.waitsUntil]).toEqual([['Start', 'Rest'], 30_000]);
    execution.stop('ABORTED');
    expect((await toItsEnd(execution)).status).toBe('ABORTED');
  });

  test('is not begun when a state has fields that are not played', () => {
    expect(() => run({ Start: { Type: 'Pass', InputPath: '$.a', Next: 'End' } })).toThrow("not played: InputPath of the Pass 'Start'");
    expect(() => run({ Start: { Type: 'Parallel', Branches: [] } })).toThrow('not played');
  });
});

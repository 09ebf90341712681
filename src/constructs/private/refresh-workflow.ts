import { Aws, CfnResource, Stack } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { RefreshHandlers } from './image-request';
import { EVENT_SOURCE } from '../../custom-resources/microvm-events';

const POLL_SECONDS = 30;
/** Each step ends itself within the hour CloudFormation would give it. */
const SECONDS_A_STEP = 3_600;

/** Why a refresh ended. Rules that users wrote match them: they never change. */
export const RefreshEvent = {
  REFRESHED: 'MicroVM Base Image Refreshed',
  FAILED: 'MicroVM Base Image Refresh Failed',
} as const;

/**
 * A custom resource that a new version goes through, such as its build, its test or its publication: the same handlers a
 * deployment runs, with the same properties but for `ImageVersion`.
 */
export interface VersionStep {
  readonly handlers: RefreshHandlers;
  readonly resource: CfnResource;
  /** As they are in the template. */
  readonly properties: Record<string, unknown>;
}

export interface RefreshStep extends VersionStep {
  /** Names its states. */
  readonly name: string;
}

export interface RefreshWorkflowProps {
  readonly image: RefreshStep;
  readonly imageName: string;
  readonly check: lambda.IFunction;
  readonly scheduleName: string;
  readonly maxFailures: number;
  /** In order; what publishes comes last. */
  readonly steps: RefreshStep[];
}

type State = Record<string, unknown>;

/**
 * The state machine of a refresh, in the Amazon States Language: check, build, every further step, commit.
 *
 * Texts of the user only come in as JSON inside one string: an expression among them is never evaluated.
 */
export function refreshWorkflow(stack: Stack, props: RefreshWorkflowProps): Record<string, unknown> {
  const { image, steps } = props;
  const first = steps.length > 0 ? isStillOurs(steps[0]) : 'Commit the version';
  const states: Record<string, State> = {
    'Did the base image move': invoke(props.check, {
      StackId: Aws.STACK_ID,
      LogicalResourceId: image.resource.logicalId,
      ImageProperties: asJson(stack, image.properties),
      ExecutionId: '{% $states.context.Execution.Id %}',
      Force: '{% $states.input.force = true %}',
    }, {
      Assign: { event: '{% $states.result.Payload.Event %}', image: '{% $states.result.Payload.Event %}' },
      // A throttle is no failure of the refresh before it lasted half an hour.
      Retry: [{ ErrorEquals: ['Unavailable'], IntervalSeconds: 60, MaxAttempts: 5, BackoffRate: 2 }, ...ASKED_AGAIN],
      Next: 'Is a refresh due',
    }),
    'Is a refresh due': choice('$states.input.Due', 'Accept the image', 'Nothing to do'),
    'Nothing to do': { Type: 'Succeed' },
    'A deployment goes first': { Type: 'Succeed' },

    'Accept the image': invoke(image.handlers.onEvent, '{% $event %}', {
      Assign: { image: '{% $merge([$event, $states.result.Payload]) %}' }, Next: 'Is the image built',
    }),
    ...poll('Is the image built', image.handlers.isComplete, '{% $image %}', first, {
      version: "{% $states.result.Payload.IsComplete ? $states.result.Payload.Data.ImageVersion : '' %}",
    }),
    ...Object.assign({}, ...steps.map((step, index) => further(stack, step, image.handlers, steps[index + 1]))),
    ...poll('Commit the version', image.handlers.isComplete, phase('COMMIT'), 'Tell of the version'),
    'Tell of the version': tell(props, RefreshEvent.REFRESHED, { imageVersion: '{% $version %}' }, 'Refreshed'),
    'Refreshed': { Type: 'Succeed' },

    'Clear up': { ...invoke(image.handlers.isComplete, phase('ABANDON'), { Next: 'Look back' }), Catch: otherwise('Look back') },
    // The newest first, and this one is among them.
    'Look back': {
      Type: 'Task',
      Resource: integration('aws-sdk:sfn:listExecutions'),
      Arguments: { StateMachineArn: '{% $states.context.StateMachine.Id %}', MaxResults: props.maxFailures },
      Retry: CALLED_AGAIN,
      Assign: { failures: "{% $count($states.result.Executions[Status in ['FAILED', 'TIMED_OUT']]) + 1 %}" },
      Catch: otherwise('Tell of the failure'),
      Next: 'Is it too much',
    },
    'Is it too much': choice(`$failures >= ${props.maxFailures}`, 'Find the schedule', 'Tell of the failure'),
    'Find the schedule': {
      Type: 'Task',
      Resource: integration('aws-sdk:scheduler:getSchedule'),
      Arguments: { Name: props.scheduleName },
      Retry: CALLED_AGAIN,
      Catch: otherwise('Tell of the failure'),
      Next: 'Disable the schedule',
    },
    // An update takes the whole schedule, without what the service adds to it.
    'Disable the schedule': {
      Type: 'Task',
      Resource: integration('aws-sdk:scheduler:updateSchedule'),
      Arguments: "{% $merge([$sift($states.input, function($value, $key) { $not($key in ['Arn', 'CreationDate', 'LastModificationDate']) }), {'State': 'DISABLED'}]) %}",
      Retry: CALLED_AGAIN,
      Catch: otherwise('Tell of the failure'),
      Next: 'Tell of the disabled schedule',
    },
    'Tell of the failure': tell(props, RefreshEvent.FAILED, { cause: CAUSE, scheduleDisabled: false }, 'Failed'),
    'Tell of the disabled schedule': tell(props, RefreshEvent.FAILED, { cause: CAUSE, scheduleDisabled: true }, 'Failed and disabled'),
    'Failed': { Type: 'Fail', Error: 'RefreshFailed', Cause: CAUSE },
    'Failed and disabled': {
      Type: 'Fail', Error: 'RefreshDisabled', Cause: `{% 'failed ${props.maxFailures} times in a row: the schedule is disabled. ' & $failure.Cause %}`,
    },
  };
  return {
    Comment: 'Builds a Lambda MicroVM image anew when its base image moved',
    QueryLanguage: 'JSONata',
    StartAt: 'Did the base image move',
    TimeoutSeconds: SECONDS_A_STEP * (steps.length + 2),
    States: states,
  };
}

/** The handlers may be asked twice. */
const ASKED_AGAIN = [{
  ErrorEquals: [
    'Lambda.ServiceException', 'Lambda.AWSLambdaException', 'Lambda.SdkClientException', 'Lambda.TooManyRequestsException', 'Lambda.Unknown', 'Sandbox.Timedout',
  ],
  IntervalSeconds: 5,
  MaxAttempts: 5,
  BackoffRate: 2,
}];

/** Many refreshes may end in the same minute, and these services throttle. */
const CALLED_AGAIN = [{ ErrorEquals: ['States.ALL'], IntervalSeconds: 5, MaxAttempts: 3, BackoffRate: 2 }];

const CAUSE = '{% $failure.Cause %}';

function isStillOurs(step: RefreshStep): string {
  return `Is it still ours before ${step.name}`;
}

function further(stack: Stack, step: RefreshStep, image: RefreshHandlers, next: RefreshStep | undefined): Record<string, State> {
  const { name, handlers, resource } = step;
  return {
    [isStillOurs(step)]: invoke(image.isComplete, phase('CHECK'), {
      Assign: { properties: asJson(stack, step.properties) }, Next: `Prepare ${name}`,
    }),
    [`Prepare ${name}`]: {
      Type: 'Pass',
      Assign: {
        request: {
          RequestType: 'Update',
          RequestId: '{% $event.RequestId %}',
          StackId: Aws.STACK_ID,
          LogicalResourceId: resource.logicalId,
          ResourceType: resource.cfnResourceType,
          PhysicalResourceId: resource.ref,
          ResourceProperties: '{% $merge([$parse($properties), {"ImageVersion": $version}]) %}',
          OldResourceProperties: '{% $parse($properties) %}',
          // What publishes looks by itself whether a deployment came meanwhile.
          Refresh: '{% $event.Refresh %}',
        },
      },
      Next: `Accept ${name}`,
    },
    [`Accept ${name}`]: invoke(handlers.onEvent, '{% $request %}', {
      Assign: { request: '{% $merge([$request, $states.result.Payload]) %}' }, Next: `Is ${name} done`,
    }),
    ...poll(`Is ${name} done`, handlers.isComplete, '{% $request %}', next ? isStillOurs(next) : 'Commit the version'),
  };
}

/** Asks until the answer is complete. */
function poll(name: string, fn: lambda.IFunction, payload: unknown, next: string, assign?: Record<string, string>): Record<string, State> {
  return {
    [name]: invoke(fn, payload, { ...(assign && { Assign: assign }), Next: `${name}?` }),
    [`${name}?`]: choice('$states.input.IsComplete', next, `${name}: wait`),
    [`${name}: wait`]: { Type: 'Wait', Seconds: POLL_SECONDS, Next: name },
  };
}

function invoke(fn: lambda.IFunction, payload: unknown, rest: State): State {
  return {
    Type: 'Task',
    Resource: integration('lambda:invoke'),
    Arguments: { FunctionName: fn.functionArn, Payload: payload },
    Output: '{% $states.result.Payload %}',
    Retry: ASKED_AGAIN,
    Catch: [
      { ErrorEquals: ['Superseded'], Next: 'A deployment goes first' },
      { ErrorEquals: ['States.ALL'], Assign: { failure: '{% $states.errorOutput %}' }, Next: 'Clear up' },
    ],
    ...rest,
  };
}

function phase(name: string): string {
  const version = name === 'ABANDON' ? '' : ', "version": $version';
  return `{% $merge([$image, {"Refresh": $merge([$image.Refresh, {"phase": "${name}"${version}}])}]) %}`;
}

function choice(condition: string, then: string, otherwiseNext: string): State {
  return { Type: 'Choice', Choices: [{ Condition: `{% ${condition} %}`, Next: then }], Default: otherwiseNext };
}

function otherwise(next: string): State[] {
  return [{ ErrorEquals: ['States.ALL'], Next: next }];
}

/** Whoever is not told must still see how it ended. */
function tell({ image, imageName }: RefreshWorkflowProps, type: string, detail: State, next: string): State {
  return {
    Type: 'Task',
    Resource: integration('events:putEvents'),
    Arguments: {
      Entries: [{
        Source: EVENT_SOURCE,
        DetailType: type,
        Resources: [image.resource.ref],
        // Of one execution there is one event, and a state may be run twice.
        Detail: { id: '{% $states.context.Execution.Id %}', imageArn: image.resource.ref, imageName, ...detail },
      }],
    },
    Retry: CALLED_AGAIN,
    Catch: otherwise(next),
    Next: next,
  };
}

function integration(action: string): string {
  return `arn:${Aws.PARTITION}:states:::${action}`;
}

/** Without what only CloudFormation reads. */
function asJson(stack: Stack, { ServiceToken: _token, ServiceTimeout: _timeout, ...properties }: Record<string, unknown>): string {
  return stack.toJsonString(properties);
}

import * as fc from 'fast-check';
import { imageProperties } from './stack-events';
import { ImageProperties, RunningMicrovms } from '../../../src/custom-resources/microvm-image/contract';
import { BuildPlan, DeletionPlan, Readings } from '../../simulator';

/** What goes wrong with one call of one tick. A crash is Lambda's end of the function: the framework answers FAILED. */
export type FaultKind = 'throttle' | 'serverError' | 'gatewayPage' | 'lostAnswer' | 'gatewayPageAfterEffect' | 'busy' | 'buildQuota' | 'crashBefore' | 'crashAfter';

/** What somebody does to an image behind the stack's back. */
export type ByHand = 'build' | 'deactivate' | 'delete' | 'forgetOwner' | 'run' | 'publish' | 'publishBase' | 'nothingForHours';

/** How one tick goes. */
export interface TickScript {
  /** The tick comes this much later than the poll interval; the first one comes at once. */
  readonly lateMs?: number;
  readonly fault?: { readonly call: number; readonly kind: FaultKind };
  /** Before this call of the tick, a second tick (of the same request or of its duplicate) runs from start to end. */
  readonly interruptedAt?: number;
  /** Requests that CloudFormation does not wait for any more, but that still poll, miss their turn. */
  readonly ghostsSleep?: boolean;
}

export type Fate =
  | { readonly type: 'good' }
  /** Another resource of the stack fails after this one succeeded. */
  | { readonly type: 'siblingFails' }
  /** The update is cancelled after so many ticks: its rollback starts while it still polls. */
  | { readonly type: 'cancelled'; readonly afterTicks: number };

/** Options that change what the engine does, and nothing of a version. */
export type Engine = Pick<ImageProperties, 'keepVersions' | 'adopt' | 'retainOnFailure' | 'buildTimeoutSeconds' | 'waitForBuild' | 'followLatest'>;

export interface DeployStep {
  readonly type: 'deploy';
  readonly stack: number;
  readonly template: number;
  readonly engine?: Engine;
  readonly fate: Fate;
  /** CloudFormation's message arrives twice. */
  readonly deliveredTwice: boolean;
  readonly builds: BuildPlan[];
  readonly ticks: TickScript[];
  readonly rollbackTicks: TickScript[];
}

export interface DestroyStep {
  readonly type: 'destroy';
  readonly stack: number;
  readonly ticks: TickScript[];
  readonly deletion?: DeletionPlan;
}

export interface ByHandStep {
  readonly type: 'byHand';
  readonly stack: number;
  readonly what: ByHand;
}

export type Step = DeployStep | DestroyStep | ByHandStep;

export interface History {
  readonly readings: Partial<Readings>;
  readonly steps: Step[];
}

/** The name both stacks want. */
export const CONTESTED = 'golden';
/** The name of an image that belongs to nobody here. */
export const FOREIGN = 'somebody-elses';

const OTHER_ROLE = 'arn:aws:iam::000000000000:role/other-build';

/** What a stack may be asked to be. */
const TEMPLATES: Array<Partial<ImageProperties>> = [
  { codeArtifactUri: 's3://assets/v1.zip' },
  { codeArtifactUri: 's3://assets/v2.zip' },
  { codeArtifactUri: 's3://assets/v1.zip', tags: { team: 'a' } },
  { codeArtifactUri: 's3://assets/v1.zip', baseImageRefreshToken: 'october' },
  { codeArtifactUri: 's3://assets/v1.zip', baseImageRefreshToken: 'november', tags: { team: 'b', cost: '1' } },
  { codeArtifactUri: 's3://assets/v2.zip', buildRoleArn: OTHER_ROLE },
  { codeArtifactUri: 's3://assets/v3.zip', baseImageVersion: '1', runningMicrovms: RunningMicrovms.TERMINATE },
  { codeArtifactUri: 's3://assets/v1.zip', imageName: 'renamed' },
  { codeArtifactUri: 's3://assets/v2.zip', imageName: 'renamed', tags: { team: 'c' } },
  { codeArtifactUri: 's3://assets/v1.zip', imageName: CONTESTED },
  { codeArtifactUri: 's3://assets/v1.zip', imageName: FOREIGN },
];

/** The properties of one stack's template; only the contested and the foreign name are the same in all stacks. */
export function templateOf(stack: number, template: number, engine: Engine = {}): ImageProperties {
  const properties = imageProperties({ ...TEMPLATES[template], ...engine });
  const shared = properties.imageName === CONTESTED || properties.imageName === FOREIGN;
  return shared ? properties : { ...properties, imageName: `stack${stack}-${properties.imageName}` };
}

const some = <T>(arbitrary: fc.Arbitrary<T>, weight: number) =>
  fc.oneof({ weight: 10 - weight, arbitrary: fc.constant(undefined) }, { weight, arbitrary });

const tick: fc.Arbitrary<TickScript> = fc.record({
  lateMs: some(fc.constantFrom(20_000, 45_000, 120_000), 2),
  fault: some(fc.record({
    call: fc.nat(5),
    kind: fc.constantFrom<FaultKind>(
      'throttle', 'serverError', 'gatewayPage', 'lostAnswer', 'gatewayPageAfterEffect', 'busy', 'buildQuota', 'crashBefore', 'crashAfter'),
  }), 3),
  interruptedAt: some(fc.nat(5), 2),
  ghostsSleep: fc.constant(false),
});

const ticks = fc.array(tick, { maxLength: 5 });

const build: fc.Arbitrary<BuildPlan> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ durationMs: fc.constantFrom(7_000, 14_000, 30_000) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      durationMs: fc.constantFrom(7_000, 14_000),
      failure: fc.record({
        kind: fc.constantFrom('container', 'ready-timeout', 'validate-server-error', 's3-access-denied', 's3-no-such-key', 'disk-full', 'platform-error'),
        generation: some(fc.constantFrom('3' as const, '4' as const), 3),
      }),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom<BuildPlan>({ wedged: true }, { durationMs: 70 * 60_000 }) },
);

const engine: fc.Arbitrary<Engine> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: fc.record({ keepVersions: fc.constantFrom(2, 3), followLatest: fc.constantFrom(undefined, true) }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Engine>(
      { followLatest: true }, { adopt: true }, { retainOnFailure: true }, { waitForBuild: false }, { buildTimeoutSeconds: 60 },
      { waitForBuild: false, keepVersions: 2 }, { adopt: true, retainOnFailure: true, keepVersions: 2 },
    ),
  },
);

const stack = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) });

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('deploy' as const),
      stack,
      template: fc.nat(TEMPLATES.length - 1),
      engine,
      fate: fc.oneof<fc.WeightedArbitrary<Fate>[]>(
        { weight: 5, arbitrary: fc.constant({ type: 'good' }) },
        { weight: 2, arbitrary: fc.constant({ type: 'siblingFails' }) },
        { weight: 2, arbitrary: fc.record({ type: fc.constant('cancelled' as const), afterTicks: fc.integer({ min: 1, max: 3 }) }) },
      ),
      deliveredTwice: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
      builds: fc.array(build, { maxLength: 2 }),
      ticks,
      rollbackTicks: ticks,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constant('destroy' as const),
      stack,
      ticks,
      deletion: some(fc.constant<DeletionPlan>({ fails: true }), 3),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('byHand' as const),
      stack,
      what: fc.constantFrom<ByHand>('build', 'deactivate', 'delete', 'forgetOwner', 'run', 'publish', 'publishBase', 'nothingForHours'),
    }),
  },
);

/** Where the evidence about the service is split, either side. */
const readings: fc.Arbitrary<Partial<Readings>> = fc.record({
  tagWritesWhileUpdating: fc.constantFrom('conflict', 'accepted'),
  updateFailedLaunches: fc.boolean(),
  tagsOnGetImage: fc.boolean(),
  failedVersionDeleteHeals: fc.boolean(),
  latestActiveFallsBack: fc.boolean(),
  proseReasonsOnly: fc.boolean(),
  staleReadsAfterWrite: fc.constantFrom(0, 0, 1),
  versionInUseDeleteRefused: fc.boolean(),
  reasonOnVersion: fc.boolean(),
  terminatedRetentionMs: fc.constantFrom(Number.POSITIVE_INFINITY, 20 * 60_000),
  versionOrder: fc.constantFrom('lexical', 'newest-first', 'oldest-first'),
});

export const history: fc.Arbitrary<History> = fc.record({ readings, steps: fc.array(step, { minLength: 1, maxLength: 6 }) });

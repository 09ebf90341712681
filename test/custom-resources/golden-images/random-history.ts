import * as fc from 'fast-check';
import { Mishap, MishapKind } from './functions';

/** A refresh that is on its way when a deployment begins, or is begun by the schedule during it. */
export interface Overlap {
  readonly force: boolean;
  /** How many states it has behind it when the deployment begins. */
  readonly states: number;
  /** How many states it goes on with between two ticks of the deployment, again and again. */
  readonly pace: number[];
}

interface Struck { readonly mishaps: readonly Mishap[] }

export type Step = Struck & (
  | {
    readonly type: 'deploy';
    /** A new zip, the one that was deployed before the last, or the same with other tags. */
    readonly code: 'new' | 'former' | 'same';
    readonly sick: boolean;
    readonly buildFails: boolean;
    readonly siblingFails: boolean;
    /** While it rolls back too. */
    readonly rollbackStruck: boolean;
    readonly refresh?: Overlap;
  }
  | {
    readonly type: 'refresh';
    /** The base image moved before; what is built on it may not work. */
    readonly base: 'moved' | 'movedAndSick' | 'same';
    readonly force: boolean;
    readonly buildFails: boolean;
    /** Stopped by hand, or because its time is over, after so many states. */
    readonly stoppedAfter?: number;
  }
  /** A channel of another stack is moved to one of the records, or to what is none. */
  | { readonly type: 'promote'; readonly choice: number }
  | { readonly type: 'close' }
  /** A version that is recorded, and that no channel names, is retired by hand. */
  | { readonly type: 'retire' }
  /** Long enough for old versions to go. */
  | { readonly type: 'hours' }
);

export type StepOf<T extends Step['type']> = Extract<Step, { type: T }>;

const kind = fc.oneof<fc.WeightedArbitrary<MishapKind>[]>(
  { weight: 5, arbitrary: fc.constantFrom('killedBefore', 'killedAfter') },
  { weight: 3, arbitrary: fc.constantFrom('timedOutBefore', 'timedOutAfter') },
  { weight: 2, arbitrary: fc.constantFrom('throttled', 'gatewayPage', 'lostAnswer') },
);

/** Among as many calls as such a step makes. */
const mishaps = (calls: number): fc.Arbitrary<readonly Mishap[]> => fc.oneof(
  { weight: 1, arbitrary: fc.constant<readonly Mishap[]>([]) },
  { weight: 6, arbitrary: fc.record({ call: fc.nat(calls), kind }).map((mishap) => [mishap]) },
  { weight: 2, arbitrary: fc.array(fc.record({ call: fc.nat(calls), kind }), { minLength: 2, maxLength: 3 }) },
);

const sometimes = (weight: number) => fc.oneof({ weight: 10 - weight, arbitrary: fc.constant(false) }, { weight, arbitrary: fc.constant(true) });
const maybe = <T>(arbitrary: fc.Arbitrary<T>, weight: number) =>
  fc.oneof({ weight: 10 - weight, arbitrary: fc.constant(undefined) }, { weight, arbitrary });

const overlap: fc.Arbitrary<Overlap> = fc.record({
  force: sometimes(7), states: fc.nat(24), pace: fc.array(fc.nat(4), { minLength: 1, maxLength: 4 }),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('deploy' as const),
      code: fc.constantFrom('new', 'new', 'former', 'same'),
      sick: sometimes(2),
      buildFails: sometimes(1),
      siblingFails: sometimes(2),
      rollbackStruck: sometimes(4),
      refresh: maybe(overlap, 4),
      mishaps: mishaps(50),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('refresh' as const),
      base: fc.constantFrom('moved', 'moved', 'movedAndSick', 'same'),
      force: sometimes(4),
      buildFails: sometimes(1),
      stoppedAfter: maybe(fc.nat(30), 1),
      mishaps: mishaps(50),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('promote' as const), choice: fc.nat(3), mishaps: mishaps(8) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('close' as const), mishaps: mishaps(3) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('hours' as const, 'retire' as const), mishaps: fc.constant<readonly Mishap[]>([]) }) },
);

export const history: fc.Arbitrary<Step[]> = fc.array(step, { minLength: 2, maxLength: 5 });

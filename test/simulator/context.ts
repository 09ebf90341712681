import { Arns } from './arns';
import { ManagedImages } from './managed-images';
import { Advance, Quotas, Readings } from './options';
import { Span } from './transition';
import { VirtualClock } from './virtual-clock';

/** What every part of the simulator shares. */
export interface Context {
  readonly arns: Arns;
  readonly clock: VirtualClock;
  readonly managed: ManagedImages;
  readonly readings: Readings;
  readonly quotas: Quotas;
  readonly advance: Advance;
}

/** The span of something, from its plan, else the measured duration (7.6) or the configured number of reads. */
export function spanOf(context: Context, durationMs: number, plan: Span = {}, readsFactor: number = 1): Span {
  if (plan.reads !== undefined || plan.durationMs !== undefined) {
    return { reads: plan.reads, durationMs: plan.durationMs };
  }
  return context.advance.mode === 'clock' ? { durationMs } : { reads: Math.max(1, Math.round(context.advance.reads * readsFactor)) };
}

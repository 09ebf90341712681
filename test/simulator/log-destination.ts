import { VirtualClock } from './virtual-clock';

/** The log group that `logging` of an image or of a launch leads to, if any (14). */
export function logGroupOf(logging: Record<string, any> | null | undefined, imageName: string, emptyIsDisabled: boolean): string | undefined {
  if (logging?.disabled) {
    return undefined;
  }
  const named: string | undefined = logging?.cloudWatch?.logGroup ?? undefined;
  const isEmpty = logging?.cloudWatch && named === undefined && !logging.cloudWatch.logStream;
  return isEmpty && emptyIsDisabled ? undefined : named ?? `/aws/lambda-microvms/${imageName}`;
}

/** A stream as the service names it (14). */
export function logStreamName(clock: VirtualClock, version: string, microvmId: string): string {
  const day = new Date(clock.now()).toISOString().slice(0, 10).replace(/-/g, '/');
  return `${day}[${version}]${microvmId}`;
}

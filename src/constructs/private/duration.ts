import { Duration } from 'aws-cdk-lib';

/** The seconds of a duration. Undefined when they are no whole number within the limits; one that only deployment knows passes. */
export function secondsWithin(duration: Duration, minimum: number, maximum: number): number | undefined {
  if (duration.isUnresolved()) {
    return duration.toSeconds();
  }
  const seconds = duration.toMilliseconds() / 1000;
  return Number.isInteger(seconds) && seconds >= minimum && seconds <= maximum ? seconds : undefined;
}

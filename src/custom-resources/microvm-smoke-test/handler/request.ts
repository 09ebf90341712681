import { createHash } from 'crypto';
import { Limit } from './decision';
import { Acceptance, arrivalOf, CloudFormationEvent, propertiesOf, resourceDigest } from '../../common/handler/cloudformation-event';
import { imageNameOf } from '../../common/handler/image-arn';
import { decodeSmokeTest, SmokeTestProperties, TESTED_TAG_PREFIX } from '../contract';

interface RequestIdentity {
  readonly requestId: string;
  /** Milliseconds since the epoch. Deadlines count from here. */
  readonly acceptedAt: number;
  readonly test: SmokeTestProperties;
  readonly imageName: string;
  /** The key of the image's tag with the versions that passed this test. */
  readonly tag: string;
}

/** Create and Update: the version must pass. */
export interface TestRequest extends RequestIdentity {
  readonly kind: 'test';
  /** Names the version and what is asked of it, in the tag. */
  readonly entry: string;
  /** A launch with the same token is the same launch. */
  readonly clientToken: string;
  /** Milliseconds the request may take. */
  readonly timeAllowed: number;
}

/** Delete: leave no MicroVM. */
export interface SweepRequest extends RequestIdentity {
  readonly kind: 'sweep';
}

export type Request = TestRequest | SweepRequest;

/**
 * Names the resource and starts the clock. It calls no API, so it can run twice, and a crash leaves nothing behind.
 *
 * @throws InvalidProperties before anything was done.
 */
export function acceptRequest(event: CloudFormationEvent, now: number): Acceptance {
  const id = event.RequestType === 'Delete' ? event.PhysicalResourceId ?? '' : `smoke-test-${testId(event)}`;
  if (event.RequestType !== 'Delete') {
    decodeSmokeTest(event.ResourceProperties);
  }
  return { PhysicalResourceId: id, AcceptedAt: new Date(now).toISOString() };
}

/**
 * Decodes an event. Undefined for a Delete whose properties make no sense: it was never more than refused.
 *
 * @throws InvalidProperties on a Create or Update whose properties make no sense. A Delete never throws.
 */
export function decodeRequest(event: CloudFormationEvent, now: number): Request | undefined {
  const test = propertiesOf(event, decodeSmokeTest);
  if (test === undefined) {
    return undefined;
  }
  const identity = {
    requestId: event.RequestId,
    acceptedAt: arrivalOf(event, now),
    test,
    imageName: imageNameOf(test.imageArn),
    tag: `${TESTED_TAG_PREFIX}${testId(event)}`,
  };
  return event.RequestType === 'Delete' ? { ...identity, kind: 'sweep' } : {
    ...identity,
    kind: 'test',
    entry: `${test.imageVersion}/${digestOf(test)}`,
    clientToken: hash(`${event.RequestId}|${testId(event)}|${test.imageVersion}`, 64),
    timeAllowed: Limit.BEFORE_LAUNCH + test.timeoutSeconds * 1_000,
  };
}

function testId(event: CloudFormationEvent): string {
  return resourceDigest(event, 16);
}

/** What the version is asked, which is not about the version. */
function digestOf({ imageVersion: _version, timeoutSeconds: _timeout, ...asked }: SmokeTestProperties): string {
  return hash(JSON.stringify(asked), 8);
}

function hash(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}

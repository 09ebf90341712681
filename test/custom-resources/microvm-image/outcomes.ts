import { IMAGE_ARN } from './builders';
import { Outcome } from '../../../src/custom-resources/microvm-image/handler/decision';

/** The outcome that answers a version to CloudFormation. */
export function handsOut(version: string, baseVersion = '1'): Outcome {
  return expect.objectContaining({
    type: 'done',
    attributes: { ImageArn: IMAGE_ARN, ImageName: 'shop-app', ImageVersion: version, BaseImageVersion: baseVersion },
  });
}

/** What a failure says, and what to do about it. */
export function sentenceOf(outcome: Outcome): string {
  expect(outcome).toMatchObject({ type: 'fail', failure: { type: 'other' } });
  const { failure } = outcome as Extract<Outcome, { type: 'fail' }>;
  return failure.type === 'other' ? `${failure.what} ${failure.hint}` : '';
}

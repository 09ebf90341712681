import { cloudFormationEvent, IMAGE_ARN } from './builders';
import { handler } from '../../../src/custom-resources/microvm-image/handler/is-complete.lambda';

const ENVIRONMENT = { ...process.env };

beforeEach(() => {
  Object.assign(process.env, { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
});
afterEach(() => {
  process.env = { ...ENVIRONMENT };
  jest.restoreAllMocks();
});

test.each([120_000, 60_000])('with %d ms left, the calls of a tick end 20 seconds before Lambda ends the function, and that is no verdict', async (left) => {
  const timeout = jest.spyOn(AbortSignal, 'timeout').mockReturnValue(AbortSignal.abort());
  const event = cloudFormationEvent({ RequestType: 'Delete', PhysicalResourceId: IMAGE_ARN, AcceptedAt: new Date().toISOString() });
  expect(await handler(event, { getRemainingTimeInMillis: () => left })).toEqual({ IsComplete: false });
  expect(timeout.mock.calls).toEqual([[left - 20_000]]);
});

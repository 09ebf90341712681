import { encodeSmokeTest, SMOKE_TEST_RESOURCE_TYPE } from '../../../src/custom-resources/microvm-smoke-test/contract';
import { decide } from '../../../src/custom-resources/microvm-smoke-test/handler/decide-test';
import { decodeRequest } from '../../../src/custom-resources/microvm-smoke-test/handler/request';
import { STACK_ID } from '../common/custom-resource';

const ACCEPTED = Date.UTC(2026, 10, 27);
const TIMEOUT = 60_000;
/** What may pass before the launch comes on top. */
const ALLOWED = TIMEOUT + 5 * 60_000;

const request = decodeRequest({
  RequestType: 'Create',
  RequestId: 'r',
  StackId: STACK_ID,
  LogicalResourceId: 'SmokeTest',
  ResourceType: SMOKE_TEST_RESOURCE_TYPE,
  AcceptedAt: new Date(ACCEPTED).toISOString(),
  ResourceProperties: encodeSmokeTest({
    imageArn: 'arn:aws:lambda:us-east-1:000000000000:microvm-image:agents',
    imageVersion: '2.0',
    executionRoleArn: 'arn:aws:iam::000000000000:role/smoke-test',
    ingressNetworkConnectors: [],
    egressNetworkConnectors: [],
    logGroup: '/smoke-test',
    port: 8080,
    http: { path: '/', status: 200 },
    timeoutSeconds: TIMEOUT / 1_000,
  }),
}, ACCEPTED)!;

/** What is to be done about the MicroVM of this request, so long after it was accepted. */
const about = (state: string, stateReason: string | undefined, waited: number) => decide(request, {
  passed: [],
  microvms: [],
  launched: { microvmId: 'microvm-1', state, stateReason, imageVersion: '2.0', startedAt: ACCEPTED + 1_000, endpoint: 'x' },
}, ACCEPTED + waited);

/** The tick that ended it may have been cut short, after it wrote a note that does not show yet. */
test.each([['TERMINATED', 'Success'], ['TERMINATED', 'Success.'], ['TERMINATING', undefined]])(
  'a MicroVM that somebody asked to end is waited for, as long as the test may take: %s, %s', (state, reason) => {
    expect(about(state, reason, ALLOWED - 1)).toMatchObject({ type: 'wait' });
    expect(about(state, reason, ALLOWED)).toMatchObject({ type: 'fail' });
  },
);

test.each([['Container Stopped with Exit Code: 1', 'Container Stopped with Exit Code: 1'], [undefined, 'the service gave no reason']])(
  'a MicroVM that ended otherwise has failed at once: %s', (reason, told) => {
    expect(about('TERMINATED', reason, 2_000)).toMatchObject({
      type: 'fail', what: `version 2.0 of MicroVM image 'agents' failed its smoke test: MicroVM microvm-1 ended before it answered: ${told}`,
    });
  },
);

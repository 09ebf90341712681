import { ACCEPTED_AT, AT_DEADLINE, deleteRequest, ensureRequest, imageConfig, MINUTE } from './builders';
import { sentenceOf } from './outcomes';
import { Limit, Outcome } from '../../../src/custom-resources/microvm-image/handler/decision';
import { afterRefusal } from '../../../src/custom-resources/microvm-image/handler/refusal';
import { Refusal, ServiceRefusal } from '../../../src/custom-resources/microvm-image/handler/service-port';

function after(refusal: Refusal, message: string, now: number, action?: Parameters<typeof afterRefusal>[3]): Outcome {
  return afterRefusal(ensureRequest(), new ServiceRefusal(refusal, 'UpdateMicrovmImage', message), now, action);
}

/** The last tick before the deadline comes this much earlier. */
const TICK = 7_000;

describe('what may pass is waited for, until it has had its time', () => {
  test.each<[kind: Refusal, message: string, limit: number, hint: RegExp]>([
    ['transient', 'Rate exceeded', Limit.DEADLINE, /deploy again/],
    ['notFound', 'MicroVMImage not found', Limit.DEADLINE, /deploy again/],
    ['busy', 'MicroVM Image is already in state: UPDATING', Limit.DEADLINE, /deploy again/],
    ['quota', 'maximum number of concurrent builds', Limit.DEADLINE, /L-72E0D058/],
    ['quota', 'maximum number of images', Limit.RESERVED, /L-942E56BE/],
    ['quota', 'maximum number of versions', Limit.RESERVED, /L-F8BECE9C/],
    ['nameTaken', "A MicroVM image with the name 'shop-app' already exists in this account", Limit.RESERVED, /another imageName/],
    ['denied', 'User is not authorized to perform: iam:PassRole', Limit.IAM_GRACE, /PassRole|PassedToService/],
    ['runningMicrovms', 'Cannot delete microvm image with running microvms.', Limit.DEADLINE, /./],
  ])('%s: %s', (kind, message, limit, hint) => {
    expect(after(kind, message, ACCEPTED_AT).type).toBe('wait');
    // Before our own deadline there has to be a tick that says what the service kept answering.
    expect(after(kind, message, ACCEPTED_AT + limit - (limit === Limit.DEADLINE ? MINUTE : 1)).type).toBe('wait');
    const last = after(kind, message, ACCEPTED_AT + (limit === Limit.DEADLINE ? limit - TICK : limit));
    expect(sentenceOf(last)).toContain(message);
    expect(sentenceOf(last)).toMatch(/^UpdateMicrovmImage for image 'shop-app' was refused/);
    expect((last as any).failure.hint).toMatch(hint);
  });

  test('a full quota of builds is one, although the image has no room for another version either', () => {
    const build = { type: 'build', config: imageConfig(), clientToken: 't', inUse: '1.0 (microvm-1)' } as const;
    expect(after('quota', 'maximum number of concurrent builds', ACCEPTED_AT, build).type).toBe('wait');
    expect(sentenceOf(after('quota', 'maximum number of versions', ACCEPTED_AT, build))).toMatch(/in use: 1\.0 \(microvm-1\)/);
  });

  test('and the log of the wait says what was refused and how', () => {
    expect(after('quota', 'maximum number of concurrent builds', ACCEPTED_AT)).toEqual({
      type: 'wait', why: 'UpdateMicrovmImage refused (quota): maximum number of concurrent builds',
    });
  });

  test('a Delete has the same patience', () => {
    const refusal = new ServiceRefusal('busy', 'DeleteMicrovmImage', 'in its current state');
    expect(afterRefusal(deleteRequest(), refusal, AT_DEADLINE - MINUTE).type).toBe('wait');
    expect(sentenceOf(afterRefusal(deleteRequest(), refusal, AT_DEADLINE))).toMatch(/^DeleteMicrovmImage for image 'shop-app'/);
  });
});

describe('what cannot pass', () => {
  test('is a verdict at once, in the words of the service', () => {
    const message = 'The requested memory size of 3000 MiB is not supported';
    expect(sentenceOf(after('invalid', message, ACCEPTED_AT))).toContain(message);
  });

  test('is no verdict when it only kept a failed version from being cleared away', () => {
    expect(after('invalid', 'This is the last version. Please delete the entire image', ACCEPTED_AT, { type: 'deleteVersion', version: '1.0' }).type).toBe('wait');
  });
});

describe('a denial names its likely cause', () => {
  test.each([
    ['', /not offered in this region/],
    ['   ', /not offered in this region/],
    ['User: handler is not authorized to perform: iam:PassRole on resource: role/x', /PassedToService/],
    ['Lambda was unable to assume the role', /lambda\.amazonaws\.com.*sourceAccountCondition: false/],
    ['is not authorized to perform: lambda:PassNetworkConnector', /egressConnector/],
    ['explicit deny in a service control policy', /SCP/],
  ])('%p', (message, hint) => {
    const outcome = after('denied', message, ACCEPTED_AT + Limit.IAM_GRACE);
    expect((outcome as any).failure.hint).toMatch(hint);
  });

  test('and the role, when one that builds is not assumed', () => {
    const build = { type: 'build', config: imageConfig(), clientToken: 't' } as const;
    expect((after('denied', 'The role cannot be assumed by Lambda.', ACCEPTED_AT + Limit.IAM_GRACE, build) as any).failure.hint)
      .toMatch(/^the build role arn:aws:iam::111122223333:role\/shop-build must trust lambda\.amazonaws\.com/);
  });

  test('and says so when the service gave no text', () => {
    expect(sentenceOf(after('denied', '', ACCEPTED_AT + Limit.IAM_GRACE))).toMatch(/no reason given/);
  });
});

import { decidePublish } from '../../../src/custom-resources/microvm-image-publication/handler/decide-publication';
import { Observation } from '../../../src/custom-resources/microvm-image-publication/handler/decision';
import { PublishRequest } from '../../../src/custom-resources/microvm-image-publication/handler/request';

const ROOT = '/microvm-images/agents';
const IMAGE = 'arn:aws:lambda:us-east-1:000000000000:microvm-image:agents';

const request = (imageVersion: string, keepRecords: number): PublishRequest => ({
  kind: 'publish',
  requestId: 'r',
  acceptedAt: 0,
  root: ROOT,
  owner: 'me',
  stackName: 'App',
  droppedChannels: [],
  publication: { imageArn: IMAGE, imageVersion, root: ROOT, channels: ['candidate'], keepRecords },
});

/** A publication of ours with records of these versions, and channels. */
const seen = (versions: string[], channels: Record<string, string>, more: Partial<Observation> = {}): Observation => ({
  parameters: Object.fromEntries([
    ['owner', 'me App'],
    ...versions.map((version) => [`versions/${version}`, '{}']),
    ...Object.entries(channels).map(([name, version]) => [`channels/${name}`, `${IMAGE},${version},b,d`]),
  ].map(([name, value]) => [`${ROOT}/${name}`, { value, revision: 1, writtenAt: 0 }])),
  version: { state: 'SUCCESSFUL', status: 'ACTIVE', baseImageArn: 'b', baseImageVersion: '1', codeArtifactUri: 's3://x/y', createdAt: 0 },
  tags: {},
  snapshots: [],
  ...more,
});

const stepsOf = (...args: Parameters<typeof decidePublish>) => {
  const decision = decidePublish(...args);
  return decision.type === 'act' ? decision.steps : decision;
};

test('versions count as numbers: 2.0 is older than 10.0, and goes first', () => {
  expect(stepsOf(request('11.0', 3), seen(['10.0', '2.0', '9.0'], {}), 0)).toContainEqual({ type: 'remove', names: [`${ROOT}/versions/2.0`] });
});

test('what protects comes first, the pointers after the record, and what goes last', () => {
  const steps = stepsOf(request('11.0', 2), seen(['2.0', '9.0'], { candidate: '9.0' }), 0);
  expect(steps).toMatchObject([
    { type: 'protect', versions: ['2.0', '9.0', '11.0'] }, { type: 'record' }, { type: 'point', channel: 'candidate' }, { type: 'remove' },
  ]);
});

test('what a channel names is kept, however old, and the channels of the publication name the new version', () => {
  const steps = stepsOf(request('11.0', 1), seen(['1.0', '2.0', '9.0'], { candidate: '9.0', stable: '1.0' }), 0);
  expect(steps).toContainEqual({ type: 'remove', names: [`${ROOT}/versions/2.0`, `${ROOT}/versions/9.0`] });
});

test.each([
  ['PENDING', 'INACTIVE', 'wait'], ['IN_PROGRESS', 'INACTIVE', 'wait'], ['FAILED', 'INACTIVE', 'fail'], ['DELETING', 'ACTIVE', 'fail'], ['SUCCESSFUL', 'INACTIVE', 'wait'],
])('a version that is %s and %s: %s', (state, status, expected) => {
  const observation = seen([], {});
  expect(decidePublish(request('11.0', 1), { ...observation, version: { ...observation.version!, state, status } }, 0).type).toBe(expected);
});

describe('a base image refresh', () => {
  const refreshing = { ...request('11.0', 3), refresh: { requestSeen: 'a' } };

  test('publishes as long as the image is as it was when the refresh was decided', () => {
    expect(decidePublish(refreshing, seen([], {}, { tags: { 'microvm-cdk:request': 'a' } }), 0).type).toBe('act');
  });

  test.each([[{ 'microvm-cdk:request': 'b' }], [{}]])('publishes nothing once a deployment took the image: %j', (tags) => {
    expect(decidePublish(refreshing, seen([], {}, { tags }), 0)).toMatchObject({
      type: 'superseded', what: expect.stringMatching(/^version 11\.0 of MicroVM image 'agents' is not published: a deployment \(b?\) works on the image$/),
    });
  });

  test('has no say in what a deployment publishes', () => {
    expect(decidePublish(request('11.0', 3), seen([], {}, { tags: { 'microvm-cdk:request': 'b' } }), 0).type).toBe('act');
  });
});

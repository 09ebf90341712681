import { ACCEPTED_AT, cloudFormationEvent, IMAGE_ARN, imageView, MINUTE, observation, versionView } from './builders';
import { sentenceOf } from './outcomes';
import { encodeUpkeep, RunningMicrovms, Tag, UPKEEP_RESOURCE_TYPE } from '../../../src/custom-resources/microvm-image/contract';
import { decideClear, decidePrune } from '../../../src/custom-resources/microvm-image/handler/decide-upkeep';
import { Observation } from '../../../src/custom-resources/microvm-image/handler/decision';
import { ClearRequest, decodeRequest, PruneRequest } from '../../../src/custom-resources/microvm-image/handler/request';

const HOUR = 60 * MINUTE;
const STACK = '0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0';

function request(type: 'Update' | 'Delete', runningMicrovms = RunningMicrovms.TERMINATE) {
  return decodeRequest(cloudFormationEvent({
    RequestType: type,
    ResourceType: UPKEEP_RESOURCE_TYPE,
    PhysicalResourceId: IMAGE_ARN,
    ResourceProperties: encodeUpkeep({ imageName: 'shop-app', content: '0', runningMicrovms, keepVersions: 2 }),
  }), ACCEPTED_AT);
}

const ours = (overrides = {}) => imageView({ tags: { [Tag.UPKEEP]: STACK }, ...overrides });
const DONE = { outcome: { type: 'done', why: expect.any(String) } };

describe('a clearing', () => {
  const at = (waited: number, seen: Partial<Observation>, mode?: RunningMicrovms) =>
    decideClear(request('Delete', mode) as ClearRequest, observation({ image: ours(), ...seen }), ACCEPTED_AT + waited);

  test('is about the image of the physical id', () => {
    expect(request('Delete')).toMatchObject({ kind: 'clear', imageArn: IMAGE_ARN, runningMicrovms: RunningMicrovms.TERMINATE });
  });

  test.each<[string, Partial<Observation>, RunningMicrovms?]>([
    ['there is no image', { image: undefined }],
    ['the image is deleted', { image: ours({ state: 'DELETED' }) }],
    ['the image carries no tag: the upkeep left, and the image stays', { image: imageView({ tags: {} }) }],
    ['the image carries the tag of another stack', { image: imageView({ tags: { [Tag.UPKEEP]: 'another' } }) }],
    ['nobody asked for it', {}, RunningMicrovms.FAIL],
    ['no MicroVM runs', { liveMicrovms: [], pinningMicrovms: [] }],
  ])('is done, and touches nothing, when %s', (_what, seen, mode = RunningMicrovms.TERMINATE) => {
    const running = { liveMicrovms: ['vm-1'], pinningMicrovms: ['vm-1'] };
    expect(at(MINUTE, { ...running, ...seen }, mode)).toEqual(DONE);
  });

  test('asks first what runs', () => {
    expect(at(MINUTE, {})).toEqual({ need: 'liveMicrovms', outcome: { type: 'wait', why: expect.any(String) } });
  });

  test.each([0, 7_000, 14_000, 19_999])('terminates nothing in its first 20 seconds, when reads may still show a tag that is gone (%s ms)', (waited) => {
    expect(at(waited, { liveMicrovms: ['vm-1'], pinningMicrovms: ['vm-1'] })).toEqual({ outcome: { type: 'wait', why: expect.any(String) } });
  });

  test('terminates ten at a time', () => {
    const ids = Array.from({ length: 12 }, (_, index) => `vm-${index}`);
    expect(at(20_000, { liveMicrovms: ids, pinningMicrovms: ids })).toEqual({
      action: { type: 'terminate', microvmIds: ids.slice(0, 10) }, outcome: { type: 'wait', why: '12 MicroVMs are to terminate' },
    });
  });

  test('waits for those that are terminating: they pin the image too', () => {
    expect(at(MINUTE, { liveMicrovms: [], pinningMicrovms: ['vm-1'] })).toEqual({ outcome: { type: 'wait', why: '1 MicroVMs are to terminate' } });
  });

  test('says after ten minutes what is left', () => {
    const left = { liveMicrovms: ['vm-1'], pinningMicrovms: ['vm-1'] };
    expect(at(10 * MINUTE - 1, left).outcome.type).toBe('wait');
    expect(sentenceOf(at(10 * MINUTE, left).outcome)).toMatch(/'shop-app' still has 1 MicroVMs after 10 minutes: vm-1.*stop what launches them/s);
  });
});

describe('a pruning', () => {
  const versions = ['4.0', '3.0', '2.0', '1.0'].map((version, index) => versionView(version, { createdAt: ACCEPTED_AT - (index + 1) * 12 * HOUR }));
  const unused = Object.fromEntries(versions.map(({ version }) => [version, []]));
  const at = (waited: number, seen: Partial<Observation>) =>
    decidePrune(request('Update') as PruneRequest, observation({ image: ours(), versions, microvmsOf: unused, ...seen }), ACCEPTED_AT + waited);

  test('deletes the oldest that nobody runs', () => {
    expect(at(0, {})).toEqual({ action: { type: 'deleteVersion', version: '1.0' }, outcome: { type: 'wait', why: 'deleting version 1.0' } });
    expect(at(0, { microvmsOf: {} })).toMatchObject({ need: { microvmsOf: '1.0' } });
    expect(at(0, { microvmsOf: { ...unused, '1.0': ['vm-1'] } })).toMatchObject({ action: { version: '2.0' } });
  });

  test('leaves what is published', () => {
    expect(at(0, { image: ours({ tags: { [Tag.UPKEEP]: STACK, [Tag.PUBLISHED]: '1.0 3.0' } }) })).toMatchObject({ action: { version: '2.0' } });
    expect(at(0, { image: ours({ tags: { [Tag.UPKEEP]: STACK, [Tag.PUBLISHED]: '1.0 2.0 3.0' } }) })).toEqual(DONE);
  });

  test('is done when as many are left as are kept', () => {
    expect(at(0, { versions: versions.slice(0, 2) })).toEqual(DONE);
  });

  test.each<[string, Partial<Observation>]>([
    ['there is no image', { image: undefined }],
    ['the image carries no tag', { image: imageView({ tags: {} }) }],
    ['the image carries the tag of another stack', { image: imageView({ tags: { [Tag.UPKEEP]: 'another' } }) }],
  ])('is done, and touches nothing, when %s', (_what, seen) => {
    expect(at(0, seen)).toEqual(DONE);
  });

  test.each<[string, Partial<Observation>]>([
    ['the image is UPDATING', { image: ours({ state: 'UPDATING' }) }],
    ['the image is CREATING', { image: ours({ state: 'CREATING' }) }],
    ['a version is being deleted', { versions: [...versions.slice(0, 3), { ...versions[3], state: 'DELETING' }] }],
    ['a version is being deleted, the last that had to go', { versions: [...versions.slice(0, 2), { ...versions[3], state: 'DELETING' }] }],
  ])('waits while %s, for five minutes at most', (_what, seen) => {
    expect(at(0, seen)).toEqual({ outcome: { type: 'wait', why: expect.any(String) } });
    expect(at(5 * MINUTE, seen)).toEqual(DONE);
  });

  test('begins nothing after a minute, unless the quota is near', () => {
    const many = Array.from({ length: 49 }, (_, index) => versionView(`${49 - index}.0`, { createdAt: ACCEPTED_AT - (index + 1) * 12 * HOUR }));
    const nobody = Object.fromEntries(many.map(({ version }) => [version, []]));
    expect(at(MINUTE, {})).toEqual(DONE);
    expect(at(MINUTE, { versions: many, microvmsOf: nobody })).toMatchObject({ action: { type: 'deleteVersion', version: '1.0' } });
    expect(at(5 * MINUTE, { versions: many, microvmsOf: nobody })).toEqual(DONE);
  });
});

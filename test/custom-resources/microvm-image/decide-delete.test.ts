import * as fc from 'fast-check';
import {
  ACCEPTED_AT, AT_DEADLINE, claimTags, deleteRequest, EARLIER_REQUEST_ID, FOREIGN_OWNER, imageView, MINUTE, observation, ownTags, REQUEST_ID, stampOf,
  twoBuilds, versionView,
} from './builders';
import { sentenceOf } from './outcomes';
import { RunningMicrovms, Tag } from '../../../src/custom-resources/microvm-image/contract';
import { decideDelete } from '../../../src/custom-resources/microvm-image/handler/decide-delete';
import { Decision, Limit, Observation } from '../../../src/custom-resources/microvm-image/handler/decision';

const NOW = ACCEPTED_AT + 10_000;
const versions = [versionView('1.0')];

const decide = (seen: Partial<Observation>, now = NOW, request = deleteRequest()): Decision => decideDelete(request, observation(seen), now);

const TOUCHES_NOTHING = { outcome: { type: 'done', why: expect.any(String) } };

describe('a Delete is done, and touches nothing,', () => {
  test('when the image is gone', () => {
    expect(decide({})).toEqual(TOUCHES_NOTHING);
    expect(decide({ image: imageView({ state: 'DELETED' }) })).toEqual(TOUCHES_NOTHING);
  });

  test('but not at the first look: an image made a moment ago may not show yet', () => {
    expect(decide({}, ACCEPTED_AT + Limit.READ_LAG - 1).outcome.type).toBe('wait');
    expect(decide({}, ACCEPTED_AT + Limit.READ_LAG)).toEqual(TOUCHES_NOTHING);
  });

  test.each(['CREATING', 'UPDATED', 'UPDATING', 'DELETING', 'DELETE_FAILED', 'CREATE_FAILED'])('when the image belongs to another resource (%s)', (state) => {
    const image = imageView({ state, tags: ownTags({ [Tag.OWNER]: FOREIGN_OWNER }) });
    expect(decide({ image, versions })).toEqual({ outcome: { type: 'done', why: expect.stringMatching(/'shop-app' belongs to another resource/) } });
  });

  test('when nobody owns the image, and says that it was released', () => {
    expect(decide({ image: imageView({ tags: { team: 'shop' } }), versions }))
      .toEqual({ outcome: { type: 'done', why: expect.stringMatching(/'shop-app' carries no owner tag: released/) } });
  });
});

describe('a Delete deletes', () => {
  test.each(['CREATED', 'UPDATED', 'CREATE_FAILED', 'UPDATE_FAILED'])('an image that is %s', (state) => {
    const decision = decide({ image: imageView({ state }), versions });
    expect(decision.action).toEqual({ type: 'deleteImage' });
    expect(decision.outcome).toEqual({ type: 'wait', why: 'deleting the image' });
  });

  test('again when the service says that it failed to', () => {
    expect(decide({ image: imageView({ state: 'DELETE_FAILED' }), versions }).action).toEqual({ type: 'deleteImage' });
  });

  test('an image without versions', () => {
    expect(decide({ image: imageView() }).action).toEqual({ type: 'deleteImage' });
  });

  test('only after it claimed the image, so that a request that still runs does not create it again', () => {
    const image = imageView({ tags: ownTags(claimTags(EARLIER_REQUEST_ID, '0.0', undefined, ACCEPTED_AT - MINUTE)) });
    expect(decide({ image, versions }).tags?.set).toEqual({ [Tag.REQUEST]: stampOf(REQUEST_ID, ACCEPTED_AT) });
  });
});

describe('a Delete waits', () => {
  test('until the image is gone, because its name stays taken so long', () => {
    const decision = decide({ image: imageView({ state: 'DELETING', updatedAt: NOW }), versions });
    expect(decision.action).toBeUndefined();
    expect(decision.outcome).toEqual({ type: 'wait', why: 'the image is DELETING' });
  });

  test.each(['CREATING', 'UPDATING'])('for the end of a build it cannot cancel (%s)', (state) => {
    const decision = decide({ image: imageView({ state }), versions: [versionView('2.0', { state: 'IN_PROGRESS' }), ...versions], builds: twoBuilds('IN_PROGRESS') });
    expect(decision.action).toBeUndefined();
    expect(decision.outcome).toEqual({ type: 'wait', why: 'version 2.0 is building' });
  });

  test('for whatever else keeps the image busy', () => {
    expect(decide({ image: imageView({ state: 'UPDATING' }), versions }).action).toBeUndefined();
    expect(decide({ image: imageView({ state: 'CREATING' }) }).action).toBeUndefined();
  });
});

describe('a Delete of an image that MicroVMs run from', () => {
  const seen = (liveMicrovms: string[]) => ({ image: imageView(), versions, liveMicrovms });
  const terminating = deleteRequest({ runningMicrovms: RunningMicrovms.TERMINATE });

  test('is refused with their ids and with what to do', () => {
    const sentence = sentenceOf(decide(seen(['microvm-1', 'microvm-2'])).outcome);
    expect(sentence).toMatch(/'shop-app' still has 2 .*MicroVMs: microvm-1, microvm-2 /);
    expect(sentence).toMatch(/RunningMicrovms\.TERMINATE/);
    expect(sentenceOf(decide(seen(['microvm-1'])).outcome)).toMatch(/1 running or suspended MicroVM: microvm-1/);
  });

  test('names five of many and counts the rest', () => {
    const ids = Array.from({ length: 12 }, (_, index) => `microvm-${index}`);
    expect(sentenceOf(decide(seen(ids)).outcome)).toMatch(/microvm-4 and 7 more/);
    expect(sentenceOf(decide(seen(ids)).outcome)).not.toMatch(/microvm-5/);
    expect(sentenceOf(decide(seen(ids.slice(0, 6))).outcome)).toMatch(/microvm-4 and 1 more/);
    expect(sentenceOf(decide(seen(ids.slice(0, 5))).outcome)).not.toMatch(/more/);
  });

  test('terminates them when told to, no more at once than the service takes', () => {
    const ids = Array.from({ length: 12 }, (_, index) => `microvm-${index}`);
    expect(decide(seen(ids), NOW, terminating)).toMatchObject({
      action: { type: 'terminate', microvmIds: ids.slice(0, 10) },
      outcome: { type: 'wait', why: expect.stringMatching(/12/) },
    });
  });

  test.each([[RunningMicrovms.FAIL], [RunningMicrovms.TERMINATE]])('waits for the last ones to end (%s)', (runningMicrovms) => {
    const decision = decide(seen([]), NOW, deleteRequest({ runningMicrovms }));
    expect(decision.action).toBeUndefined();
    expect(decision.outcome).toEqual({ type: 'wait', why: 'MicroVMs are terminating' });
  });

  test('never terminates those of an image it does not own', () => {
    const image = imageView({ tags: ownTags({ [Tag.OWNER]: FOREIGN_OWNER }) });
    expect(decide({ ...seen(['microvm-1']), image }, NOW, terminating)).toEqual(TOUCHES_NOTHING);
  });
});

describe('a Delete gives up, and says how to go on,', () => {
  const command = /aws lambda-microvms delete-microvm-image --image-identifier arn:aws:lambda:eu-west-1:111122223333:microvm-image:shop-app/;

  test('when the image stays DELETING for ten minutes', () => {
    const seen = { image: imageView({ state: 'DELETING', updatedAt: ACCEPTED_AT + MINUTE }), versions };
    expect(decide(seen, ACCEPTED_AT + MINUTE + Limit.DELETE - 1).outcome.type).toBe('wait');
    const sentence = sentenceOf(decide(seen, ACCEPTED_AT + MINUTE + Limit.DELETE).outcome);
    expect(sentence).toMatch(/DELETING for 10 minutes/);
    expect(sentence).toMatch(command);
  });

  test('but allows ten minutes of its own when the image was DELETING long before', () => {
    const seen = { image: imageView({ state: 'DELETING', updatedAt: ACCEPTED_AT - 60 * MINUTE }), versions };
    expect(decide(seen, ACCEPTED_AT + Limit.DELETE - 1).outcome.type).toBe('wait');
    expect(sentenceOf(decide(seen, ACCEPTED_AT + Limit.DELETE).outcome)).toMatch(command);
  });

  test('ten minutes after the build that it waited for, although the service does not date the beginning of the delete', () => {
    const ended = ACCEPTED_AT + 40 * MINUTE;
    const seen = { image: imageView({ state: 'DELETING', updatedAt: ACCEPTED_AT - 60 * MINUTE }), versions: [versionView('2.0', { updatedAt: ended }), ...versions] };
    expect(decide(seen, ended + Limit.DELETE - 1).outcome.type).toBe('wait');
    expect(sentenceOf(decide(seen, ended + Limit.DELETE).outcome)).toMatch(/DELETING for 10 minutes/);
  });

  test('ten minutes of its own behind a wedged build, however old that is', () => {
    const wedged = versionView('1.0', { state: 'PENDING', createdAt: ACCEPTED_AT - 10 * 60 * MINUTE });
    const seen = { image: imageView({ state: 'CREATING' }), versions: [wedged], builds: twoBuilds('PENDING') };
    expect(decide(seen, ACCEPTED_AT + Limit.WEDGED - 1).outcome.type).toBe('wait');
    const sentence = sentenceOf(decide(seen, ACCEPTED_AT + Limit.WEDGED).outcome);
    expect(sentence).toMatch(/version 1\.0 is still building/);
    expect(sentence).toMatch(command);
  });

  test('but not before the deadline behind a build that goes on', () => {
    const building = versionView('1.0', { state: 'IN_PROGRESS', createdAt: ACCEPTED_AT });
    const seen = { image: imageView({ state: 'CREATING' }), versions: [building], builds: twoBuilds('IN_PROGRESS') };
    expect(decide(seen, AT_DEADLINE - 1).outcome.type).toBe('wait');
    expect(sentenceOf(decide(seen, AT_DEADLINE).outcome)).toMatch(command);
  });

  test('when a later request took the image over', () => {
    const image = imageView({ tags: ownTags(claimTags('later', '1.0', undefined, ACCEPTED_AT + 1)) });
    expect(sentenceOf(decide({ image, versions }).outcome)).toMatch(/later request/);
  });

  test('at the deadline, whatever is seen', () => {
    const states = fc.constantFrom('CREATING', 'CREATED', 'CREATE_FAILED', 'UPDATING', 'UPDATED', 'UPDATE_FAILED', 'DELETING', 'DELETE_FAILED', 'NEW_STATE');
    const live = fc.constantFrom<Array<string[] | undefined>>(undefined, [], ['microvm-1']);
    const policies = fc.constantFrom(RunningMicrovms.FAIL, RunningMicrovms.TERMINATE);
    const versionStates = fc.constantFrom('PENDING', 'IN_PROGRESS', 'SUCCESSFUL', 'FAILED', 'DELETING');
    fc.assert(fc.property(states, live, policies, versionStates, (state, liveMicrovms, runningMicrovms, versionState) => {
      const seen = { image: imageView({ state }), versions: [versionView('1.0', { state: versionState })], builds: twoBuilds('IN_PROGRESS'), liveMicrovms };
      expect(decide(seen, AT_DEADLINE, deleteRequest({ runningMicrovms })).outcome.type).toBe('fail');
    }));
  });
});

test('a claim of an earlier request does not stop a Delete', () => {
  const image = imageView({ tags: ownTags(claimTags(EARLIER_REQUEST_ID, '1.0', undefined, ACCEPTED_AT - MINUTE)) });
  expect(decide({ image, versions }).action).toEqual({ type: 'deleteImage' });
});

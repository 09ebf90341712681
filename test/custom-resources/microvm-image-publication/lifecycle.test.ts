import { DeleteMicrovmImageVersionCommand, LambdaMicrovmsClient, UpdateMicrovmImageVersionCommand } from '@aws-sdk/client-lambda-microvms';
import { Publisher, ROOT } from './publisher';
import { OTHER_STACK_ID } from '../common/custom-resource';

let world: Publisher;
beforeEach(async () => {
  world = await Publisher.start();
});
afterEach(async () => world.stop());

const microvms = () => new LambdaMicrovmsClient({});
const throttled = { error: { type: 'ThrottlingException', message: 'Rate exceeded', status: 400 } };
const denied = { error: { type: 'AccessDeniedException', message: 'no', status: 400 } };

describe('to publish', () => {
  test('writes a record and moves the channels, in that order, and nothing else', async () => {
    const writes: string[] = [];
    world.store.onWrite = (_operation, names) => writes.push(...names.map((name) => name.slice(ROOT.length)));
    const response = await world.publication().create(world.properties('1.0', { channels: ['candidate', 'nightly'], sourceRevision: 'c0ffee' }));

    expect(response).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: ROOT, Data: { ImageArn: world.imageArn, ImageVersion: '1.0' } });
    expect(response.bytes).toBeLessThan(4_096);
    expect(writes).toEqual(['/owner', '/versions/1.0', '/channels/candidate', '/channels/nightly']);
    expect(JSON.parse(world.store.values[`${ROOT}/versions/1.0`])).toEqual({
      image: `microvm-image/${world.imageArn.split(':').pop()}/1.0`,
      imageArn: world.imageArn,
      version: '1.0',
      baseImage: 'al2023-1:1',
      codeDigest: expect.stringMatching(/^[0-9a-f]{64}$/),
      sourceRevision: 'c0ffee',
      builtAt: expect.stringMatching(/Z$/),
      snapshots: [
        { chip: 'Graviton 3', codeBytes: expect.any(Number), memoryBytes: expect.any(Number), diskBytes: expect.any(Number) },
        { chip: 'Graviton 4', codeBytes: expect.any(Number), memoryBytes: expect.any(Number), diskBytes: expect.any(Number) },
      ],
    });
    const [arn, version, base, digest] = world.store.values[`${ROOT}/channels/candidate`].split(',');
    expect([arn, version, base]).toEqual([world.imageArn, '1.0', 'al2023-1:1']);
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(world.store.typeOf(`${ROOT}/channels/candidate`)).toBe('StringList');
    expect(world.protectedVersions).toBe('1.0');
  });

  test('a text that CloudFormation takes apart: the name of the image is at its place', async () => {
    await world.publication().create(world.properties('1.0'));
    expect(world.store.values[`${ROOT}/versions/1.0`].split('/')[1]).toBe(world.imageArn.split(':').pop());
  });

  test('the same again changes nothing, though the revision of the source is another', async () => {
    const publication = world.publication();
    await publication.create(world.properties('1.0', { sourceRevision: 'one' }));
    const before = world.store.values;
    const writes = world.store.calls.length;
    expect(await publication.update(world.properties('1.0', { sourceRevision: 'two' }))).toMatchObject({ Status: 'SUCCESS', ticks: 1 });
    expect(world.store.values).toEqual(before);
    expect(world.store.calls.slice(writes).map(({ operation }) => operation)).toEqual(['GetParametersByPath']);
  });

  test('a new version moves the channels, keeps the records, and a rollback moves them back', async () => {
    const publication = world.publication();
    await publication.create(world.properties('1.0'));
    await world.tested.build(2);
    await publication.update(world.properties('2.0'));
    expect([world.channels, world.records, world.protectedVersions]).toEqual([{ candidate: '2.0' }, ['1.0', '2.0'], '1.0 2.0']);

    expect(await publication.rollBack(world.properties('1.0'))).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });
    expect([world.channels, world.records]).toEqual([{ candidate: '1.0' }, ['1.0', '2.0']]);
  });

  test('the oldest records beyond the number to keep go, and never one that a channel names', async () => {
    const publication = world.publication();
    await publication.create(world.properties('1.0', { keepRecords: 2 }));
    await world.channel().create(world.channelProperties('1.0'));
    for (let version = 2; version <= 4; version++) {
      await world.tested.build(version);
      await publication.update(world.properties(`${version}.0`, { keepRecords: 2 }));
    }
    expect(world.records).toEqual(['1.0', '4.0']);
    expect(world.channels).toEqual({ candidate: '4.0', stable: '1.0' });
    expect(world.protectedVersions).toBe('1.0 4.0');
  });

  test('a channel that left the template goes, and others do not', async () => {
    const publication = world.publication();
    await publication.create(world.properties('1.0', { channels: ['candidate', 'beta'] }));
    await world.channel().create(world.channelProperties('1.0'));
    await publication.update(world.properties('1.0', { channels: ['candidate'] }));
    expect(world.channels).toEqual({ candidate: '1.0', stable: '1.0' });
  });

  test('a delete leaves nothing, channels first', async () => {
    const publication = world.publication();
    await publication.create(world.properties('1.0'));
    const deleted: string[] = [];
    world.store.onWrite = (_operation, names) => deleted.push(...names.map((name) => name.slice(ROOT.length)));
    expect(await publication.delete()).toMatchObject({ Status: 'SUCCESS' });
    expect(deleted).toEqual(['/channels/candidate', '/versions/1.0', '/owner']);
    expect(world.store.values).toEqual({});
    expect(world.protectedVersions).toBeUndefined();
  });

  test('what takes SSM several pages to tell is all protected, and all deleted', async () => {
    const publication = world.publication();
    await publication.create(world.properties('1.0', { keepRecords: 20 }));
    const record = world.store.values[`${ROOT}/versions/1.0`];
    const versions = Array.from({ length: 25 }, (_, index) => `${index + 2}.0`);
    versions.forEach((version) => world.store.set(`${ROOT}/versions/${version}`, record));
    await publication.update(world.properties('1.0', { keepRecords: 20 }));
    // All but the oldest, up to as many as are kept.
    expect(world.records).toHaveLength(20);
    expect(world.protectedVersions!.split(' ')).toHaveLength(20);
    expect(await publication.delete()).toMatchObject({ Status: 'SUCCESS' });
    expect(world.store.values).toEqual({});
  });

  test('a new name leaves nothing under the old one', async () => {
    const publication = world.publication();
    await publication.create(world.properties('1.0'));
    expect(await publication.update(world.properties('1.0', { root: '/microvm-images/renamed' }))).toMatchObject({ PhysicalResourceId: '/microvm-images/renamed' });
    expect(Object.keys(world.store.values).every((name) => name.startsWith('/microvm-images/renamed/'))).toBe(true);
    expect(world.protectedVersions).toBe('1.0');
  });

  test('a new name takes no channel that somebody else moves under it', async () => {
    const publication = world.publication();
    await publication.create(world.properties('1.0', { channels: ['candidate', 'stable'] }));
    const theirs = '/microvm-images/renamed/channels/stable';
    world.store.set(theirs, `${world.imageArn},1.0,al2023-1:1,c0ffee`);
    await publication.update(world.properties('1.0', { root: '/microvm-images/renamed' }));
    expect(Object.keys(world.store.values)).toContain(theirs);
  });

  test.each(['AccessDeniedException', 'ValidationException', 'ConflictException'])('a delete leaves nothing, though the image answers %s', async (type) => {
    const publication = world.publication();
    await publication.create(world.properties('1.0'));
    world.simulator.faults.inject({ operation: '*', error: { type, message: 'no', status: 400 }, times: 1_000 });
    expect(await publication.delete()).toMatchObject({ Status: 'SUCCESS' });
    expect(world.store.values).toEqual({});
  });
});

describe('nothing is half published', () => {
  test('two publishers of one name: the second is told whose it is, and leaves the first alone', async () => {
    await world.publication().create(world.properties('1.0'));
    const before = world.store.values;
    const second = await world.publication(OTHER_STACK_ID).create(world.properties('1.0'));
    expect(second.Reason).toMatch(/^Publication 'agents' belongs to stack 'App': nothing was published\. Hint: choose another publicationName/);
    const third = await world.publication(undefined, 'Second').create(world.properties('1.0'));
    expect(third.Reason).toMatch(/belongs to another resource of this stack/);
    expect(world.store.values).toEqual(before);
  });

  test('two publishers at the same moment: one of them gets the name, the other one nothing', async () => {
    const rivalIsFaster = () => {
      world.store.set(`${ROOT}/owner`, '0123456789abcdef0123456789abcdef Rival');
      return false;
    };
    world.store.faults.inject({ operation: 'PutParameter', when: rivalIsFaster });
    expect((await world.publication().create(world.properties('1.0'))).Reason).toMatch(/belongs to stack 'Rival'/);
    expect(Object.keys(world.store.values)).toEqual([`${ROOT}/owner`]);
  });

  test('a version that does not exist, failed, or is retired', async () => {
    expect((await world.publication().create(world.properties('9.0'))).Reason).toMatch(/^Version 9\.0 of MicroVM image .* does not exist: only a version that can be launched is published/);
    world.simulator.builds.plan({ failure: { kind: 'container' } });
    await world.tested.build(2);
    expect((await world.publication().create(world.properties('2.0'))).Reason).toMatch(/Version 2\.0 .* (is FAILED|does not exist)/);
    await microvms().send(new UpdateMicrovmImageVersionCommand({ imageIdentifier: world.imageArn, imageVersion: '1.0', status: 'INACTIVE' }));
    expect((await world.publication().create(world.properties('1.0'))).Reason).toMatch(/is INACTIVE/);
    expect(world.store.values).toEqual({});
  });

  test('a version that somebody deleted although it is named: who asks for it again is told, and the next version takes the channel over', async () => {
    const publication = world.publication();
    await publication.create(world.properties('1.0'));
    await world.tested.build(2);
    await microvms().send(new DeleteMicrovmImageVersionCommand({ imageIdentifier: world.imageArn, imageVersion: '1.0' }));
    await world.simulator.clock.advance(60_000);
    const before = world.store.values;
    const response = await publication.send('Update', world.properties('1.0'), world.properties('1.0'), ROOT);
    expect(response.Reason).toMatch(/^Version 1\.0 of MicroVM image .* does not exist: .* Hint: name a version that is there and ACTIVE, or build it anew/);
    expect(world.store.values).toEqual(before);
    expect(await publication.update(world.properties('2.0'))).toMatchObject({ Status: 'SUCCESS' });
    expect(world.channels).toEqual({ candidate: '2.0' });
  });

  test('a record of another image of the same name is never changed', async () => {
    const publication = world.publication();
    await publication.create(world.properties('1.0'));
    const name = `${ROOT}/versions/1.0`;
    world.store.set(name, world.store.values[name].replace(/"builtAt":"\d{4}/, '"builtAt":"2001'));
    const response = await publication.send('Update', world.properties('1.0'), world.properties('1.0'), ROOT);
    expect(response.Reason).toMatch(/already holds another version 1\.0: of .*built at 2001.*Records are never changed\. Hint: .*another publicationName/);
  });

  test('an image that takes no tags for a while: the channel does not move before the version is protected', async () => {
    const busy = { error: { type: 'ResourceConflictException', message: 'MicroVM Image is already in state: UPDATING', status: 409 } };
    world.simulator.faults.inject({ operation: 'TagResource', ...busy, times: 5 });
    const unprotected: string[] = [];
    world.store.onWrite = (_operation, names) => unprotected.push(...names.filter(() => world.protectedVersions === undefined));
    expect(await world.publication().create(world.properties('1.0'))).toMatchObject({ Status: 'SUCCESS' });
    expect(unprotected).toEqual([`${ROOT}/owner`]);
  });

  test('SSM that throttles is waited for; one that never stops ends in an error that says so', async () => {
    for (const operation of ['GetParametersByPath', 'PutParameter']) {
      world.store.faults.inject({ operation, ...throttled, times: 4 });
      world.store.faults.inject({ operation, http502: true, times: 2 });
    }
    expect(await world.publication().create(world.properties('1.0'))).toMatchObject({ Status: 'SUCCESS' });
    world.store.faults.inject({ operation: 'GetParametersByPath', error: { type: 'TooManyUpdates', message: 'Slow down', status: 400 }, times: 10_000 });
    const begun = world.simulator.clock.now();
    expect((await world.publication().send('Update', world.properties('1.0'), undefined, ROOT)).Reason).toMatch(/GetParametersByPath for publication 'agents' was refused: Slow down\. Hint: the service did not recover/);
    expect(world.simulator.clock.now() - begun).toBeLessThan(16 * 60_000);
  }, 60_000);

  test('an answer of SSM that is lost after the write', async () => {
    world.store.faults.inject({ operation: 'PutParameter', lostResponse: true, times: 1 });
    world.store.faults.inject({ operation: 'PutParameter', http502AfterEffect: true, times: 1 });
    expect(await world.publication().create(world.properties('1.0'))).toMatchObject({ Status: 'SUCCESS' });
    expect(world.channels).toEqual({ candidate: '1.0' });
  });

  test('a denial that does not pass, and a full store', async () => {
    world.store.faults.inject({ operation: 'PutParameter', ...denied, times: 1_000 });
    expect((await world.publication().create(world.properties('1.0'))).Reason).toMatch(/PutParameter .* was refused: no\. Hint: look for a permissions boundary/);
    world.store.faults.clear();
    world.store.faults.inject({ operation: 'PutParameter', error: { type: 'ParameterLimitExceeded', message: 'full', status: 400 }, times: 5 });
    expect((await world.publication().create(world.properties('1.0'))).Reason).toMatch(/Hint: SSM allows 10,000/);
  });
});

describe('to promote', () => {
  beforeEach(async () => {
    const publication = world.publication();
    await publication.create(world.properties('1.0'));
    await world.tested.build(2);
    await publication.update(world.properties('2.0'));
  });

  test('moves one pointer and builds nothing, and one step back is the same', async () => {
    const builds = world.simulator.calls.count('UpdateMicrovmImage');
    const stable = world.channel();
    expect(await stable.create(world.channelProperties('1.0'))).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: `${ROOT}/channels/stable`, Data: { ImageVersion: '1.0' } });
    for (const version of ['2.0', '1.0']) {
      const writes: string[] = [];
      world.store.onWrite = (_operation, names) => writes.push(...names);
      expect(await stable.update(world.channelProperties(version))).toMatchObject({ Status: 'SUCCESS' });
      expect(writes).toEqual([`${ROOT}/channels/stable`]);
      expect(world.channels).toEqual({ candidate: '2.0', stable: version });
    }
    expect(world.simulator.calls.count('UpdateMicrovmImage')).toBe(builds);
    expect(world.simulator.calls.mutations().filter(({ operation }) => operation === 'RunMicrovm')).toEqual([]);
  });

  test('a version without a record, or one that was deleted, is refused and the channel stays where it was', async () => {
    const stable = world.channel();
    await stable.create(world.channelProperties('2.0'));
    expect((await stable.update(world.channelProperties('7.0'))).Reason).toMatch(/^Channel 'stable' of publication 'agents' cannot name version 7\.0: there is no record \/microvm-images\/agents\/versions\/7\.0\. Hint: /);
    await microvms().send(new DeleteMicrovmImageVersionCommand({ imageIdentifier: world.imageArn, imageVersion: '1.0' }));
    await world.simulator.clock.advance(60_000);
    expect((await stable.update(world.channelProperties('1.0'))).Reason).toMatch(/^Version 1\.0 of MicroVM image .* does not exist/);
    expect(world.channels.stable).toBe('2.0');
  });

  test('a record that is of another image since CloudFormation read it is not followed', async () => {
    const record = JSON.parse(world.store.values[`${ROOT}/versions/2.0`]);
    world.store.set(`${ROOT}/versions/2.0`, JSON.stringify({ ...record, imageArn: `${world.imageArn}-of-others` }));
    const response = await world.channel().create(world.channelProperties('2.0'));
    expect(response.Reason).toMatch(/^The record of version 2\.0 is of image \S+-of-others, not of \S+\. Hint: deploy again/);
    expect(world.channels.stable).toBeUndefined();
  });

  test('a version that goes away while the channel is moved: the move ends as an error, and the rollback restores it', async () => {
    const stable = world.channel();
    await stable.create(world.channelProperties('2.0'));
    // Right after the pointer was written, up to the end of the request: five more looks.
    world.store.onWrite = () => {
      world.store.onWrite = undefined;
      const error = { type: 'ResourceNotFoundException', message: null, status: 404 };
      world.simulator.faults.inject({ operation: 'GetMicrovmImageVersion', times: 5, error });
    };
    expect((await stable.update(world.channelProperties('1.0'))).Status).toBe('FAILED');
    expect(world.channels.stable).toBe('2.0');
  });

  test('a deleted channel goes; one that somebody else has moved since stays', async () => {
    const stable = world.channel();
    await stable.create(world.channelProperties('1.0'));
    await world.channel('Other').create(world.channelProperties('2.0'));
    expect(await stable.delete()).toMatchObject({ Status: 'SUCCESS' });
    expect(world.channels.stable).toBe('2.0');
    await world.channel('Third').create(world.channelProperties('2.0', { channel: 'third' }));
  });
});

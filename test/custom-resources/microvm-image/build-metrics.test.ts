import { LambdaMicrovmsClient, RunMicrovmCommand } from '@aws-sdk/client-lambda-microvms';
import { SimulatedStacks } from './simulated-stack';
import { StackResource } from './stack-events';
import { buildMetrics } from '../../../src/custom-resources/microvm-image/handler/build-metrics';

const MINUTE = 60_000;

type Entry = Record<string, any>;

/** Reads an entry the way CloudWatch does: only what is declared and has a value. */
function metricsOf(entry: Entry): Record<string, unknown> {
  const [{ Namespace, Dimensions, Metrics }, ...others] = entry._aws.CloudWatchMetrics;
  expect(others).toEqual([]);
  expect(Namespace).toBe('CdkLambdaMicrovms');
  expect(Dimensions).toEqual([['ImageName']]);
  return Object.fromEntries(Metrics.map(({ Name, Unit }: { Name: string; Unit: string }) => {
    for (const value of [entry[Name]].flat()) {
      expect(value).toEqual(expect.any(Number));
    }
    return [`${Name} (${Unit})`, entry[Name]];
  }));
}

describe('an entry', () => {
  test('is in the embedded metric format, with the sizes of both processor generations', () => {
    const entry = buildMetrics({
      imageName: 'app',
      succeeded: true,
      durationMs: 150_500,
      snapshots: [{ codeBytes: 1, memoryBytes: 2, diskBytes: 3 }, { codeBytes: 1, memoryBytes: 4, diskBytes: 5 }],
      versions: 7,
      versionsInUse: 2,
      baseImageAge: 1.5,
    }, 1_800_000_000_000) as Entry;

    expect(entry.ImageName).toBe('app');
    expect(entry._aws.Timestamp).toBe(1_800_000_000_000);
    expect(metricsOf(entry)).toEqual({
      'BuildsSucceeded (Count)': 1,
      'BuildsFailed (Count)': 0,
      'BuildDuration (Seconds)': 150.5,
      'MemorySnapshotSize (Bytes)': [2, 4],
      'DiskSnapshotSize (Bytes)': [3, 5],
      'CodeInstallSize (Bytes)': [1, 1],
      'Versions (Count)': 7,
      'VersionsInUse (Count)': 2,
      'BaseImageAge (None)': 1.5,
    });
  });

  test('declares no metric that has no value', () => {
    const entry = buildMetrics({ imageName: 'app', succeeded: false, snapshots: [{}], versions: 1 }, 0) as Entry;
    expect(metricsOf(entry)).toEqual({ 'BuildsSucceeded (Count)': 0, 'BuildsFailed (Count)': 1, 'Versions (Count)': 1 });
    expect(Object.values(entry)).not.toContain(undefined);
  });
});

describe('a deployment', () => {
  let stacks: SimulatedStacks;
  let image: StackResource;

  beforeEach(async () => {
    stacks = await SimulatedStacks.start();
    image = stacks.resource();
  });
  afterEach(async () => stacks.simulator.stop());

  /** The metrics logged since the last time. */
  function measured(): Array<Record<string, unknown>> {
    const entries = stacks.logged.splice(0).map((line) => JSON.parse(line) as Entry);
    return entries.filter((entry) => '_aws' in entry).map(metricsOf);
  }

  test('that builds is measured once', async () => {
    stacks.simulator.builds.plan({ durationMs: 2 * MINUTE });
    await image.create(stacks.image('v1'));
    const measurements = measured();
    expect(measurements).toEqual([{
      'BuildsSucceeded (Count)': 1,
      'BuildsFailed (Count)': 0,
      'BuildDuration (Seconds)': expect.any(Number),
      'MemorySnapshotSize (Bytes)': [expect.any(Number), expect.any(Number)],
      'DiskSnapshotSize (Bytes)': [expect.any(Number), expect.any(Number)],
      'CodeInstallSize (Bytes)': [expect.any(Number), expect.any(Number)],
      'Versions (Count)': 1,
      'VersionsInUse (Count)': 0,
      'BaseImageAge (None)': expect.any(Number),
    }]);
    const seconds = measurements[0]['BuildDuration (Seconds)'] as number;
    expect([seconds >= 120, seconds <= 127]).toEqual([true, true]);
  });

  test('whose build fails says so, and how far it got', async () => {
    await image.create(stacks.image('v1'));
    measured();
    stacks.simulator.builds.plan({ failure: { kind: 'ready-timeout' } });
    await image.update(stacks.image('v2'));
    expect(measured()).toEqual([{
      'BuildsSucceeded (Count)': 0,
      'BuildsFailed (Count)': 1,
      'BuildDuration (Seconds)': expect.any(Number),
      'CodeInstallSize (Bytes)': [expect.any(Number), expect.any(Number)],
      'Versions (Count)': 2,
    }]);
  });

  test('that builds nothing is not measured', async () => {
    await image.create(stacks.image('v1'));
    await image.update(stacks.image('v2'));
    measured();
    await image.rollBack(stacks.image('v2'), stacks.image('v1'));
    await image.update(stacks.image('v1', { tags: { team: 'shop' } }));
    await image.update(stacks.image('v2'));
    await image.delete();
    expect(measured()).toEqual([]);
  });

  test('knows the age of the base image it built on, and the versions that MicroVMs run', async () => {
    await image.create(stacks.image('v1'));
    const client = new LambdaMicrovmsClient({});
    const launch = { imageIdentifier: stacks.imageArn, imageVersion: '1.0' };
    stacks.simulator.publishBaseImage('12');
    await stacks.simulator.clock.advance(3 * 24 * 60 * MINUTE);
    await client.send(new RunMicrovmCommand(launch));
    await client.send(new RunMicrovmCommand(launch));
    measured();
    await image.update(stacks.image('v2', { baseImageVersion: '12' }));
    const [{ 'BaseImageAge (None)': days, ...others }] = measured();
    expect(others).toMatchObject({ 'VersionsInUse (Count)': 1, 'Versions (Count)': 2 });
    expect([Number(days) > 3, Number(days) < 3.1]).toEqual([true, true]);
  });

  test.each([['ListMicrovms', 'VersionsInUse (Count)'], ['ListManagedMicrovmImageVersions', 'BaseImageAge (None)']])('succeeds when %s is refused, without %s', async (operation, metric) => {
    stacks.simulator.faults.inject({ operation, times: 99, error: { type: 'AccessDeniedException', status: 403, message: 'no' } });
    expect(await image.create(stacks.image('v1', { baseImageVersion: '1' }))).toMatchObject({ Status: 'SUCCESS' });
    expect(measured()).toEqual([expect.not.objectContaining({ [metric]: expect.anything() })]);
  });

  test('succeeds without what cannot be read', async () => {
    stacks.simulator.faults.inject({ operation: 'GetMicrovmImageBuild', times: 2, error: { type: 'AccessDeniedException', status: 403, message: 'no' } });
    expect(await image.create(stacks.image('v1'))).toMatchObject({ Status: 'SUCCESS' });
    expect(measured()).toEqual([expect.not.objectContaining({ 'MemorySnapshotSize (Bytes)': expect.anything() })]);
  });
});

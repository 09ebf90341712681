import { createServer } from 'node:http';
import { AddressInfo } from 'node:net';
import * as logs from '@aws-sdk/client-cloudwatch-logs';
import * as sdk from '@aws-sdk/client-lambda-microvms';
import { BuildFailureKind, MicrovmSimulator } from '../index';
import { ARTIFACT, CREDENTIALS, refusal, ROLE, World, zip } from './world';

let world: World;

beforeEach(async () => { world = await World.start(); });
afterEach(() => world.sim.stop());

const GROUP = '/aws/lambda-microvms/app';

/** Builds a version from these files and returns its state, the reasons of its builds and its log. */
async function buildOf(files: Record<string, string>) {
  world.sim.artifacts.put(ARTIFACT, zip(files));
  await world.built('app');
  const builds = await world.builds('app', '1.0');
  return {
    state: (await world.image('app')).state,
    reasons: builds.map(({ stateReason }) => stateReason),
    snapshots: builds.map(({ snapshotBuild }) => snapshotBuild),
    log: world.sim.logs.lines(GROUP).join('\n'),
  };
}

describe('4.7 builds', () => {
  test('4.7 a version has two builds, Graviton 3 and 4, that walk PENDING, IN_PROGRESS, SUCCESSFUL', async () => {
    await world.create('app');
    const walk: unknown[] = [];
    for (const ms of [0, 75_000, 75_000]) {
      await world.sim.clock.advance(ms);
      walk.push([(await world.version('app', '1.0')).state, ...(await world.builds('app', '1.0')).map(({ buildState }) => buildState)]);
    }
    expect(walk).toEqual(['PENDING', 'IN_PROGRESS', 'SUCCESSFUL'].map((state) => [state, state, state]));
    expect(await world.builds('app', '1.0')).toMatchObject([
      { architecture: 'ARM_64', chipset: 'GRAVITON', chipsetGeneration: '3' }, { architecture: 'ARM_64', chipset: 'GRAVITON', chipsetGeneration: '4' },
    ]);
  });

  test('3.3 a long build starts like any other: only a wedged one stays PENDING for minutes', async () => {
    world.sim.builds.plan({ durationMs: 3_600_000 });
    await world.create('app');
    await world.sim.clock.advance(59_999);
    expect((await world.version('app', '1.0')).state).toBe('PENDING');
    await world.sim.clock.advance(1);
    expect((await world.version('app', '1.0')).state).toBe('IN_PROGRESS');
    await world.sim.clock.advance(3_540_000);
    expect((await world.version('app', '1.0')).state).toBe('SUCCESSFUL');
  });

  test('4.7 builds can be filtered, and an unknown build or version is 404', async () => {
    await world.built('app');
    const ids = { imageIdentifier: world.arn('app'), imageVersion: '1.0' };
    const { items } = await world.client.send(new sdk.ListMicrovmImageBuildsCommand({ ...ids, chipsetGeneration: '4' }));
    expect(items!.map(({ chipsetGeneration }) => chipsetGeneration)).toEqual(['4']);
    expect((await refusal(world.client.send(new sdk.GetMicrovmImageBuildCommand({ ...ids, buildId: 'nope' })))).status).toBe(404);
    expect((await refusal(world.client.send(new sdk.ListMicrovmImageBuildsCommand({ ...ids, imageVersion: '1' })))).message)
      .toBe(`MicroVMImage not found for MicroVMImage: ${world.arn('app')}, Version: 1`);
  });

  test('4.7 the reason is on the builds, not on the version, unless the other reading is played', async () => {
    world.sim.builds.plan({ failure: { kind: 'container' }, times: 2 });
    await world.built('app');
    expect((await world.version('app', '1.0')).stateReason).toBeUndefined();
    world.sim.readings.reasonOnVersion = true;
    await world.rebuilt('app');
    expect((await world.version('app', '2.0')).stateReason).toBe('The container image build failed.');
  });

  test('4.7 one generation failing alone fails the version', async () => {
    world.sim.builds.plan({ failure: { kind: 'ready-timeout', generation: '4' } });
    await world.built('app');
    expect(await world.builds('app', '1.0')).toMatchObject([{ buildState: 'SUCCESSFUL' }, { buildState: 'FAILED' }]);
    expect((await world.version('app', '1.0')).state).toBe('FAILED');
    expect((await world.image('app')).state).toBe('CREATE_FAILED');
  });

  test('4.7 snapshotBuild is full on success, partial after a hook, absent after a Dockerfile failure', async () => {
    await world.built('ok');
    expect((await world.builds('ok', '1.0'))[0].snapshotBuild).toEqual({
      memorySnapshotSizeInBytes: expect.any(Number), codeInstallSizeInBytes: expect.any(Number), diskSnapshotSizeInBytes: expect.any(Number),
    });
    world.sim.builds.plan({ image: 'hook', failure: { kind: 'ready-timeout' } });
    await world.built('hook');
    expect((await world.builds('hook', '1.0'))[0].snapshotBuild).toEqual({ codeInstallSizeInBytes: expect.any(Number) });
    world.sim.builds.plan({ image: 'docker', failure: { kind: 'container' } });
    await world.built('docker');
    expect((await world.builds('docker', '1.0'))[0].snapshotBuild).toBeUndefined();
  });

  test('3.3 wedged builds stay PENDING until the service gives up', async () => {
    world.sim.builds.plan({ wedged: true });
    await world.create('app');
    await world.sim.clock.advance(14 * 3_600_000);
    expect((await world.builds('app', '1.0')).map(({ buildState }) => buildState)).toEqual(['PENDING', 'PENDING']);
    await world.sim.clock.advance(3_600_000);
    expect((await world.image('app')).state).toBe('CREATE_FAILED');
  });
});

describe('8.2 and 13 failure texts', () => {
  test.each<[BuildFailureKind, string]>([
    ['ready-timeout', 'Ready hook invocation timed out after PT5M'],
    ['validate-timeout', 'Validate hook invocation timed out after PT10M'],
    ['ready-client-error', 'Ready hook check failed: the application returned a client error (HTTP 4xx) response'],
    ['ready-server-error', 'Ready hook check failed: the application returned a server error (HTTP 5xx) response'],
    ['container', 'The container image build failed.'],
    ['disk-full', 'DISK_STORAGE_FULL: The build ran out of disk storage.'],
    ['platform-error', 'INTERNAL_PLATFORM_ERROR: Internal service error'],
  ])('8.2 %s says: %s', async (kind, text) => {
    world.sim.builds.plan({ failure: { kind } });
    await world.built('app', {
      hooks: { port: 9000, microvmImageHooks: { ready: 'ENABLED', readyTimeoutInSeconds: 300, validate: 'ENABLED', validateTimeoutInSeconds: 600 } },
    });
    expect((await world.builds('app', '1.0')).map(({ stateReason }) => stateReason)).toEqual([text, text]);
  });

  test('13 a plan may give any text, or none at all', async () => {
    world.sim.builds.plan({ failure: { kind: 'container', reason: 'Odd.' } });
    world.sim.builds.plan({ failure: { kind: 'container', reason: null } });
    await world.built('app');
    await world.rebuilt('app');
    expect((await world.builds('app', '1.0'))[0].stateReason).toBe('Odd.');
    expect((await world.builds('app', '2.0'))[0].stateReason).toBeUndefined();
  });
});

describe('13 the artifact', () => {
  const reasonAfter = async (uri: string) => {
    await world.built('app', { codeArtifact: { uri } });
    return (await world.builds('app', '1.0'))[0].stateReason;
  };

  test('13 a missing key and a missing bucket', async () => {
    expect(await reasonAfter('s3://artifacts/gone.zip')).toMatch(/^S3_NO_SUCH_KEY: .*s3:\/\/artifacts\/gone.zip/);
    await world.rebuilt('app', { codeArtifact: { uri: 's3://nowhere/app.zip' } });
    expect((await world.builds('app', '2.0'))[0].stateReason).toMatch(/^S3_NO_SUCH_BUCKET: /);
  });

  test('13 an object of another region and one in Glacier', async () => {
    world.sim.artifacts.put('s3://far/app.zip', zip({ Dockerfile: 'FROM a' }), { region: 'eu-west-1' });
    expect(await reasonAfter('s3://far/app.zip')).toMatch(/^S3_CROSS_REGION_ACCESS_DENIED: /);
    world.sim.artifacts.put('s3://cold/app.zip', zip({ Dockerfile: 'FROM a' }), { storageClass: 'GLACIER' });
    await world.rebuilt('app', { codeArtifact: { uri: 's3://cold/app.zip' } });
    expect((await world.builds('app', '2.0'))[0].stateReason).toMatch(/^S3_INVALID_OBJECT: /);
  });

  test('13 a build role that may not read the object', async () => {
    world.sim.buildRoles.allow(ROLE, { read: ['s3://artifacts/other.zip'] });
    expect(await reasonAfter(ARTIFACT)).toMatch(/^S3_ACCESS_DENIED: .*role\/build/);
  });

  test('13 a decision function stands in for the rules', async () => {
    const asked: unknown[] = [];
    world.sim.buildRoles.decideBy((...question) => asked.push(question) < 0);
    expect(await reasonAfter(ARTIFACT)).toMatch(/^S3_ACCESS_DENIED: /);
    expect(asked).toContainEqual([ROLE, 's3:GetObject', ARTIFACT]);
  });

  test('13 no zip, and a zip without a Dockerfile at its root', async () => {
    world.sim.artifacts.put(ARTIFACT, Buffer.from('plain text'));
    expect(await reasonAfter(ARTIFACT)).toMatch(/^ARCHIVE_INVALID: /);
    world.sim.artifacts.put(ARTIFACT, zip({ 'app/Dockerfile': 'FROM a' }));
    await world.rebuilt('app');
    expect((await world.builds('app', '2.0'))[0].stateReason).toMatch(/^ARCHIVE_DOCKERFILE_NOT_FOUND: /);
  });

  test('13 codes disappear where only prose is played', async () => {
    world.sim.readings.proseReasonsOnly = true;
    expect(await reasonAfter('s3://artifacts/gone.zip')).toMatch(/^The specified key does not exist/);
  });

  test('13 an S3 endpoint is asked for the object and its errors are told apart', async () => {
    const artifact = zip({ Dockerfile: 'FROM scratch' });
    const errors: Record<string, [number, string]> = {
      '/bucket/missing': [404, 'NoSuchKey'], '/gone/app.zip': [404, 'NoSuchBucket'], '/bucket/closed': [403, 'AccessDenied'], '/bucket/cold': [403, 'InvalidObjectState'],
    };
    const s3 = createServer((request, response) => {
      const [status, code] = errors[request.url!.split('?')[0]] ?? [200, ''];
      response.writeHead(status, { 'content-type': status === 200 ? 'application/zip' : 'application/xml' });
      response.end(status === 200 ? artifact : `<Error><Code>${code}</Code><Message>${code} text</Message></Error>`);
    });
    await new Promise<void>((resolve) => s3.listen(0, '127.0.0.1', resolve));
    const other = await World.start({ s3Endpoint: `http://127.0.0.1:${(s3.address() as AddressInfo).port}` });
    try {
      const reasonOf = async (name: string, uri: string) => {
        await other.built(name, { codeArtifact: { uri } });
        return (await other.builds(name, '1.0'))[0].stateReason;
      };
      expect(await reasonOf('ok', 's3://bucket/app.zip')).toBeUndefined();
      expect((await other.image('ok')).state).toBe('CREATED');
      expect(await reasonOf('a', 's3://bucket/missing')).toMatch(/^S3_NO_SUCH_KEY: /);
      expect(await reasonOf('b', 's3://gone/app.zip')).toMatch(/^S3_NO_SUCH_BUCKET: /);
      expect(await reasonOf('c', 's3://bucket/closed')).toMatch(/^S3_ACCESS_DENIED: /);
      expect(await reasonOf('d', 's3://bucket/cold')).toMatch(/^S3_INVALID_OBJECT: /);
    } finally {
      await other.sim.stop();
      s3.closeAllConnections();
      s3.close();
    }
  });
});

describe('13 the Dockerfile', () => {
  const BASE_LINE = 'FROM public.ecr.aws/lambda/microvms:al2023-minimal';

  test('13 a good one builds and prints its steps', async () => {
    const { state, log } = await buildOf({
      'Dockerfile': `# syntax=docker/dockerfile:1\nARG V=1\n${BASE_LINE} AS build\nCOPY --chown=1:1 src/ app*.js /srv/\nRUN echo "a && b" && \\\n    true\n`
        + 'FROM build\nCOPY --from=build /x /x\nRUN <<EOF\necho here\nEOF\nEXPOSE 8080\nCMD ["node"]\n',
      'src/a.js': '',
      'app1.js': '',
    });
    expect(state).toBe('CREATED');
    expect(log).toContain('a && b');
    expect(log).toContain('0.1 here');
  });

  test.each<[string, string, RegExp]>([
    ['no FROM', 'RUN true', /no build stage in current context/],
    ['an unknown instruction', `${BASE_LINE}\nFETCH x`, /dockerfile parse error on line 2: unknown instruction: FETCH/],
    ['an empty file', '# nothing\n', /cannot be empty/],
    ['RUN exit 3', `${BASE_LINE}\nRUN echo before; exit 3`, /before[\s\S]*process "\/bin\/sh -c echo before; exit 3" did not complete successfully: exit code: 3/],
    ['RUN false', `${BASE_LINE}\nRUN true && false`, /exit code: 1/],
    ['the exec form', `${BASE_LINE}\nRUN ["false"]`, /process "false" did not complete successfully: exit code: 1/],
    ['a heredoc that fails', `${BASE_LINE}\nRUN <<EOF\necho x\nexit 9\nEOF`, /exit code: 9/],
    ['COPY of a file that is not there', `${BASE_LINE}\nCOPY missing.txt /`, /"\/missing.txt": not found/],
    ['x86', 'FROM --platform=linux/amd64 debian', /exec format error/],
    ['an upper-case image', 'FROM Debian', /repository name must be lowercase/],
  ])('13 %s fails the container build with a log that says so', async (_, Dockerfile, line) => {
    const { state, reasons, snapshots, log } = await buildOf({ Dockerfile });
    expect(state).toBe('CREATE_FAILED');
    expect(reasons).toEqual(['The container image build failed.', 'The container image build failed.']);
    expect(snapshots).toEqual([undefined, undefined]);
    expect(log).toMatch(line);
  });

  test.each(['false || true', 'exit 0', 'echo "exit 3"', 'false; true', 'dnf install -y python3 && false || echo "ok; exit 4"'])('13 RUN %s succeeds', async (command) => {
    expect((await buildOf({ Dockerfile: `${BASE_LINE}\nRUN ${command}` })).state).toBe('CREATED');
  });
});

describe('14 build logs', () => {
  const client = () => new logs.CloudWatchLogsClient({ endpoint: world.sim.endpoint, region: 'us-east-1', credentials: CREDENTIALS, maxAttempts: 1 });
  const streams = async (logGroupName: string) => {
    const { logStreams } = await client().send(new logs.DescribeLogStreamsCommand({ logGroupName }));
    return logStreams!.map(({ logStreamName }) => logStreamName!);
  };

  test('14 they arrive at the end, in the default group, docker and VM streams apart', async () => {
    await world.create('app');
    await world.sim.clock.advance(149_000);
    expect((await refusal(streams(GROUP))).name).toBe('ResourceNotFoundException');
    await world.sim.clock.advance(1_000);
    const names = await streams(GROUP);
    const day = new Date(world.sim.clock.now()).toISOString().slice(0, 10).replaceAll('-', '/');
    expect(names.map((name) => name.replace(/[0-9a-f-]{36}$/, 'ID')).sort()).toEqual([`${day}[0.0]microvm-ID`, `${day}[1.0]microvm-ID`, `${day}[1.0]microvm-ID`]);
    const { events } = await client().send(new logs.FilterLogEventsCommand({ logGroupName: GROUP, logStreamNamePrefix: `${day}[0.0]` }));
    expect(events!.map(({ message }) => message)).toContain('#4 0.1 built');
    const last = await client().send(new logs.GetLogEventsCommand({ logGroupName: GROUP, logStreamName: names.find((name) => name.includes('[0.0]')), limit: 1 }));
    expect(last.events!.map(({ message }) => message)).toEqual(['#5 DONE 0.3s']);
  });

  test('13 they are written for failed builds too', async () => {
    world.sim.builds.plan({ failure: { kind: 'container' }, logLines: ['npm ERR! boom'] });
    await world.built('app');
    const { events } = await client().send(new logs.FilterLogEventsCommand({ logGroupName: GROUP, filterPattern: '"boom"' }));
    expect(events).toMatchObject([{ message: 'npm ERR! boom', timestamp: world.sim.clock.now() }]);
  });

  test('14 a custom group and stream are used as given', async () => {
    await world.built('app', { logging: { cloudWatch: { logGroup: '/mine', logStream: 'builds' } } });
    expect(await streams('/mine')).toEqual(['builds']);
    expect((await refusal(streams(GROUP))).name).toBe('ResourceNotFoundException');
  });

  test('9.1 without permission they vanish and the build still succeeds', async () => {
    await client().send(new logs.CreateLogGroupCommand({ logGroupName: GROUP }));
    world.sim.buildRoles.allow(ROLE, { write: ['/aws/lambda/microvms/*'] });
    await world.built('app');
    expect((await world.image('app')).state).toBe('CREATED');
    expect(await streams(GROUP)).toEqual([]);
  });

  test('9.1 a role that may not create the group writes only to one that exists', async () => {
    world.sim.buildRoles.allow(ROLE, { write: ['*'] });
    await world.built('app');
    expect((await refusal(streams(GROUP))).name).toBe('ResourceNotFoundException');
    await client().send(new logs.CreateLogGroupCommand({ logGroupName: GROUP }));
    await world.rebuilt('app');
    expect(await streams(GROUP)).toHaveLength(3);
  });

  test('14 disabled logging writes nothing; an empty block counts as disabled, in the other reading as the default group', async () => {
    await world.built('app', { logging: { disabled: {} } });
    await world.rebuilt('app', { logging: { cloudWatch: {} } });
    expect((await refusal(streams(GROUP))).name).toBe('ResourceNotFoundException');
    world.sim.readings.emptyLoggingIsDisabled = false;
    await world.rebuilt('app', { logging: { cloudWatch: {} } });
    expect(await streams(GROUP)).toHaveLength(3);
  });

  test('14 a logs endpoint elsewhere gets them instead', async () => {
    const elsewhere = await MicrovmSimulator.start();
    const other = await World.start({ logsEndpoint: elsewhere.endpoint });
    try {
      await other.built('app');
      expect(elsewhere.logs.lines(GROUP)).toContain('#4 0.1 built');
      expect(other.sim.logs.lines(GROUP)).toEqual([]);
    } finally {
      await other.sim.stop();
      await elsewhere.stop();
    }
  });

  test('14 the Logs API refuses the unsigned, knows groups from one another and forgets deleted ones', async () => {
    const unsigned = await fetch(world.sim.endpoint, { method: 'POST', headers: { 'x-amz-target': 'Logs_20140328.DescribeLogGroups' }, body: '{}' });
    expect(unsigned.status).toBe(403);
    await client().send(new logs.CreateLogGroupCommand({ logGroupName: '/a' }));
    await client().send(new logs.CreateLogGroupCommand({ logGroupName: '/b' }));
    expect((await refusal(client().send(new logs.CreateLogGroupCommand({ logGroupName: '/a' })))).name).toBe('ResourceAlreadyExistsException');
    await client().send(new logs.DeleteLogGroupCommand({ logGroupName: '/a' }));
    const { logGroups } = await client().send(new logs.DescribeLogGroupsCommand({}));
    expect(logGroups!.map(({ logGroupName }) => logGroupName)).toEqual(['/b']);
  });

  test('14 calls to the Logs API are logged and can be made to fail', async () => {
    world.sim.faults.inject({ operation: 'FilterLogEvents', error: { type: 'AccessDeniedException', message: 'no' } });
    expect(await refusal(client().send(new logs.FilterLogEventsCommand({ logGroupName: GROUP })))).toMatchObject({ name: 'AccessDeniedException', message: 'no' });
    expect(world.sim.calls.of('FilterLogEvents')[0]).toMatchObject({
      service: 'logs', resource: `arn:aws:logs:us-east-1:000000000000:log-group:${GROUP}:*`, outcome: { errorType: 'AccessDeniedException' },
    });
  });
});

import { createServer, IncomingMessage, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import { LambdaMicrovmsClient, RunMicrovmCommand } from '@aws-sdk/client-lambda-microvms';
import { strToU8, zipSync } from 'fflate';
import { imageConfig } from './builders';
import { Tag } from '../../../src/custom-resources/microvm-image/contract';
import { configMatches, ImageConfig } from '../../../src/custom-resources/microvm-image/handler/config';
import { stageReached } from '../../../src/custom-resources/microvm-image/handler/failure';
import { SdkAdapter } from '../../../src/custom-resources/microvm-image/handler/sdk-adapter';
import { Refusal, ServicePort, ServiceRefusal } from '../../../src/custom-resources/microvm-image/handler/service-port';
import { FaultSpec, MicrovmSimulator } from '../../simulator';

const NAME = 'shop-app';
const LOG_GROUP = '/aws/lambda-microvms/shop-app';
const BUILD_MS = 150_000;
const DOCKERFILE = 'FROM public.ecr.aws/lambda/microvms:al2023-minimal\nCMD ["/bin/sh"]\n';
const BASE = 'arn:aws:lambda:us-east-1:aws:microvm-image:al2023-1';
const INTERNET = 'arn:aws:lambda:us-east-1:aws:network-connector:aws-network-connector:INTERNET_EGRESS';
const ENVIRONMENT = { ...process.env };
/** As often as the SDK tries, so that a fault reaches the adapter. */
const EVERY_TIME = 3;

let simulator: MicrovmSimulator;
let adapter: SdkAdapter;
let arn: string;
let scripted: Server | undefined;
let asked: URL[];

function connectTo(endpoint: string): SdkAdapter {
  Object.assign(process.env, { AWS_ENDPOINT_URL: endpoint, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
  return new SdkAdapter();
}

/** A configuration the simulator takes. */
function config(overrides: Partial<ImageConfig> = {}): ImageConfig {
  return imageConfig({ baseImageArn: BASE, egressNetworkConnectors: [INTERNET], codeArtifactUri: 's3://assets/v1.zip', ...overrides });
}

async function create(overrides: Partial<ImageConfig> = {}, tags: Record<string, string> = { [Tag.OWNER]: 'shop' }): Promise<void> {
  await adapter.createImage(NAME, config(overrides), tags, 'token-1');
}

async function createAndBuild(overrides: Partial<ImageConfig> = {}): Promise<void> {
  await create(overrides);
  await simulator.clock.advance(BUILD_MS);
}

async function refusalOf(work: Promise<unknown>): Promise<ServiceRefusal> {
  const error = await work.then((result) => { throw new Error(`not refused: ${JSON.stringify(result)}`); }, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ServiceRefusal);
  return error as ServiceRefusal;
}

/** A service that answers what the simulator never does, such as a page that is empty in the middle, or one of a proxy. */
async function serving(answer: (index: number) => object | string): Promise<ServicePort> {
  asked = [];
  const server = createServer((request: IncomingMessage, response) => {
    asked.push(new URL(request.url!, 'http://127.0.0.1'));
    response.setHeader('content-type', 'application/json');
    const body = answer(asked.length - 1);
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  scripted = server;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return connectTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

async function startMicrovm(): Promise<string> {
  const client = new LambdaMicrovmsClient({});
  const { microvmId } = await client.send(new RunMicrovmCommand({ imageIdentifier: arn }));
  client.destroy();
  return microvmId!;
}

beforeAll(async () => {
  simulator = await MicrovmSimulator.start();
  simulator.artifacts.put('s3://assets/v1.zip', zipSync({ Dockerfile: strToU8(DOCKERFILE) }));
  arn = simulator.imageArn(NAME);
});

beforeEach(async () => {
  await simulator.reset();
  simulator.logs.create(LOG_GROUP, simulator.clock.now());
  adapter = connectTo(simulator.endpoint);
});

afterEach(async () => {
  const server = scripted;
  scripted = undefined;
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
});

afterAll(async () => {
  process.env = ENVIRONMENT;
  await simulator.stop();
});

describe('a configuration', () => {
  const READY = { port: 8080, readySeconds: 300 };
  const CONFIGS: Array<[string, Partial<ImageConfig>]> = [
    ['with everything', {
      description: 'the shop',
      baseImageVersion: '0',
      minimumMemoryInMiB: 8192,
      additionalOsCapabilities: ['ALL'],
      environmentVariables: { A: '1', B: 'two words', EMPTY: '' },
      hooks: { port: 9000, readySeconds: 3_600, validateSeconds: 601, runSeconds: 11, resumeSeconds: 12, suspendSeconds: 13, terminateSeconds: 14 },
      logging: { disabled: false, logGroup: LOG_GROUP, logStream: 'builds' },
    }],
    ['with nothing optional', {
      description: undefined,
      baseImageVersion: undefined,
      additionalOsCapabilities: [],
      environmentVariables: {},
      hooks: undefined,
      logging: { disabled: true },
    }],
    ['with a connector of the account', { egressNetworkConnectors: ['arn:aws:lambda:us-east-1:000000000000:network-connector:vpc'] }],
    ['with the ready hook only', { hooks: READY }],
    ['with the validate hook only', { hooks: { port: 8080, validateSeconds: 60 } }],
    ['with the run hook', { hooks: { ...READY, runSeconds: 60 } }],
    ['with the resume hook', { hooks: { ...READY, resumeSeconds: 1 } }],
    ['with the suspend hook', { hooks: { ...READY, suspendSeconds: 2 } }],
    ['with the terminate hook', { hooks: { ...READY, terminateSeconds: 3 } }],
    ['with a log group and the stream left to the service', { logging: { disabled: false, logGroup: LOG_GROUP } }],
    ['with logging left to the service', { logging: { disabled: false } }],
  ];

  test.each(CONFIGS)('%s is read back as what was created', async (_what, overrides) => {
    await createAndBuild(overrides);
    const [version] = await adapter.listVersions(arn);
    expect(configMatches(config(overrides), version.config)).toBe(true);
  });

  test.each(CONFIGS)('%s is read back as what it was updated to, so an update resets the rest', async (_what, overrides) => {
    await createAndBuild(CONFIGS[0][1]);
    await adapter.updateImage(arn, config(overrides), 'token-2');
    const version = (await adapter.listVersions(arn)).find((each) => each.version === '2.0')!;
    expect(configMatches(config(overrides), version.config)).toBe(true);
  });

  test('is not read back as another', async () => {
    await createAndBuild();
    const [version] = await adapter.listVersions(arn);
    for (const [, overrides] of CONFIGS.filter(([what]) => !/stream left/.test(what))) {
      expect(configMatches(config(overrides), version.config)).toBe(false);
    }
  });

  test('has no hook that is disabled, whatever timeout the service tells of it', async () => {
    const hooks = {
      port: 8080,
      microvmImageHooks: { ready: 'ENABLED', readyTimeoutInSeconds: 300, validate: 'DISABLED', validateTimeoutInSeconds: 30 },
      microvmHooks: { run: 'ENABLED', runTimeoutInSeconds: 10, resume: 'DISABLED', resumeTimeoutInSeconds: 30, suspend: 'DISABLED', terminate: null },
    };
    const port = await serving(() => ({ items: [{ imageVersion: '1.0', state: 'SUCCESSFUL', status: 'ACTIVE', hooks, createdAt: 1 }] }));
    const [{ config: recorded }] = await port.listVersions(arn);
    expect(JSON.parse(JSON.stringify(recorded.hooks))).toEqual(imageConfig().hooks);
  });

  test('tells which base version was the newest, as the bare number', async () => {
    await createAndBuild({ baseImageVersion: undefined });
    expect((await adapter.listVersions(arn))[0].config.baseImageVersion).toBe('1');
  });

  test('never carries an empty logging block, which the service takes for disabled', async () => {
    await create({ logging: { disabled: false } });
    expect(simulator.calls.of('CreateMicrovmImage')[0].body!.logging ?? null).toBeNull();
  });

  test('carries name, tags and client token on a create, and neither name nor tags on an update', async () => {
    await createAndBuild();
    await adapter.updateImage(arn, config(), 'token-2');
    expect(simulator.calls.of('CreateMicrovmImage')[0].body).toMatchObject({ name: NAME, tags: { [Tag.OWNER]: 'shop' }, clientToken: 'token-1' });
    const update = simulator.calls.of('UpdateMicrovmImage')[0];
    expect(update.body).toMatchObject({ clientToken: 'token-2', baseImageArn: BASE });
    expect(Object.keys(update.body!)).not.toEqual(expect.arrayContaining(['name']));
    expect(Object.keys(update.body!)).not.toEqual(expect.arrayContaining(['tags']));
  });
});

describe('an image', () => {
  test('that is not there is undefined', async () => {
    expect(await adapter.getImage(arn)).toBeUndefined();
  });

  test.each([true, false])('has state, tags and time of change, whether or not the call itself tells the tags (%s)', async (tagsOnGetImage) => {
    simulator.readings.tagsOnGetImage = tagsOnGetImage;
    const begun = simulator.clock.now();
    await create({}, { [Tag.OWNER]: 'shop', team: 'a b' });
    expect(await adapter.getImage(arn)).toEqual({ state: 'CREATING', tags: { [Tag.OWNER]: 'shop', team: 'a b' }, updatedAt: begun });
  });

  test('whose tags are an empty map is asked for them once more', async () => {
    const port = await serving((index) => [{ imageArn: arn, name: NAME, state: 'CREATED', createdAt: 1, tags: {} }, { Tags: { [Tag.OWNER]: 'shop' } }][index]);
    expect((await port.getImage(arn))!.tags).toEqual({ [Tag.OWNER]: 'shop' });
    expect(asked.map(({ pathname }) => pathname.split('/')[2])).toEqual(['microvm-images', 'tags']);
  });

  test('was changed last when the service says so, or when it was made', async () => {
    const made = { imageArn: arn, name: NAME, state: 'UPDATED', createdAt: 1, tags: { team: 'shop' } };
    const port = await serving((index) => [{ ...made, updatedAt: 2 }, made][index]);
    expect([(await port.getImage(arn))!.updatedAt, (await port.getImage(arn))!.updatedAt]).toEqual([2_000, 1_000]);
  });

  test('costs one call when the tags come with it', async () => {
    await create();
    simulator.calls.clear();
    await adapter.getImage(arn);
    expect(simulator.calls.all.map((call) => call.operation)).toEqual(['GetMicrovmImage']);
  });

  test('of which the tags cannot be read is no image without tags', async () => {
    simulator.readings.tagsOnGetImage = false;
    await create();
    simulator.faults.inject({ operation: 'ListTags', error: { type: 'AccessDeniedException', message: 'no' } });
    expect((await refusalOf(adapter.getImage(arn))).refusal).toBe('denied');
  });

  test('takes tags and gives them back', async () => {
    await createAndBuild();
    await adapter.tag(arn, { added: 'one', [Tag.SERVED]: '1.0/0123456789abcdef0123456789abcdef/-/1' });
    await adapter.untag(arn, [Tag.OWNER]);
    expect((await adapter.getImage(arn))!.tags).toEqual({ added: 'one', [Tag.SERVED]: '1.0/0123456789abcdef0123456789abcdef/-/1' });
  });

  test('is deleted, and then is not there', async () => {
    await createAndBuild();
    await adapter.deleteImage(arn);
    expect((await adapter.getImage(arn))!.state).toBe('DELETING');
    await simulator.clock.advance(BUILD_MS);
    expect(await adapter.getImage(arn)).toBeUndefined();
  });
});

describe('versions and builds', () => {
  test('say how they are', async () => {
    const begun = simulator.clock.now();
    await create();
    expect(await adapter.listVersions(arn)).toEqual([expect.objectContaining({ version: '1.0', state: 'PENDING', createdAt: begun })]);
    await simulator.clock.advance(BUILD_MS);
    expect(await adapter.listVersions(arn)).toEqual([expect.objectContaining({ version: '1.0', state: 'SUCCESSFUL', status: 'ACTIVE' })]);
    expect(await adapter.listBuilds(arn, '1.0')).toEqual(['3', '4'].map((generation) => ({
      buildId: expect.any(String), state: 'SUCCESSFUL', chip: `Graviton ${generation}`, reason: undefined,
    })));
  });

  test('are retired, made active and deleted', async () => {
    await createAndBuild();
    await adapter.updateImage(arn, config({ description: 'second' }), 'token-2');
    await simulator.clock.advance(BUILD_MS);
    await adapter.retireVersion(arn, '1.0');
    await adapter.activateVersion(arn, '1.0');
    expect(simulator.calls.of('UpdateMicrovmImageVersion')).toMatchObject(
      ['INACTIVE', 'ACTIVE'].map((status) => ({ labels: [arn, '1.0'], body: { status } })));
    await adapter.deleteVersion(arn, '1.0');
    await simulator.clock.advance(BUILD_MS);
    expect((await adapter.listVersions(arn)).map(({ version }) => version)).toEqual(['2.0']);
  });

  test.each([
    ['container', 'container'], ['ready-timeout', 'hook'],
  ] as const)('that failed (%s) tell the reason, and by what they made the stage', async (kind, stage) => {
    simulator.builds.plan({ image: NAME, failure: { kind } });
    await createAndBuild();
    const builds = await adapter.listBuilds(arn, '1.0');
    expect(builds.map((build) => [build.state, build.reason])).toEqual(Array(2).fill(['FAILED', expect.stringMatching(/./)]));
    expect(stageReached(await adapter.getSnapshotSizes(arn, '1.0', builds[0].buildId))).toBe(stage);
  });

  test('that succeeded tell the sizes of what they made, and no stage of a failure', async () => {
    await createAndBuild();
    const [build] = await adapter.listBuilds(arn, '1.0');
    const sizes = await adapter.getSnapshotSizes(arn, '1.0', build.buildId);
    expect(sizes).toEqual({ codeBytes: expect.any(Number), memoryBytes: expect.any(Number), diskBytes: expect.any(Number) });
    expect(stageReached(sizes)).toBe('unknown');
  });

  test('of the base image come with what may be built on, and since when it is so', async () => {
    simulator.publishBaseImage('12');
    simulator.retireBaseImage('1', 'DEPRECATED', Date.UTC(2026, 9, 1));
    expect(await adapter.listBaseVersions(BASE)).toMatchObject([
      { version: '12', status: 'AVAILABLE', createdAt: simulator.clock.now(), updatedAt: simulator.clock.now() },
      { version: '1', status: 'DEPRECATED', updatedAt: Date.UTC(2026, 9, 1) },
      { version: '0', status: 'AVAILABLE', updatedAt: Date.UTC(2026, 5, 17) },
    ]);
    const port = await serving(() => ({ items: [{ imageVersion: '2', status: 'AVAILABLE', createdAt: 3 }] }));
    expect(await port.listBaseVersions(BASE)).toEqual([{ version: '2', status: 'AVAILABLE', createdAt: 3_000, updatedAt: 3_000 }]);
  });
});

describe('MicroVMs', () => {
  test('are live until they are being terminated, although they stay listed', async () => {
    await createAndBuild();
    const [first, second] = [await startMicrovm(), await startMicrovm()];
    expect((await adapter.listLiveMicrovms(arn)).sort()).toEqual([first, second].sort());
    await adapter.terminateMicrovm(first);
    expect(await adapter.listLiveMicrovms(arn)).toEqual([second]);
    await simulator.clock.advance(BUILD_MS);
    expect(await adapter.listLiveMicrovms(arn)).toEqual([second]);
  });

  test('of one version are those that run it, until they are terminated', async () => {
    await createAndBuild();
    const first = await startMicrovm();
    await adapter.updateImage(arn, config({ description: 'next' }), 'token-2');
    await simulator.clock.advance(BUILD_MS);
    const second = await startMicrovm();
    expect(await adapter.listMicrovmsOfVersion(arn, '1.0')).toEqual([first]);
    expect(await adapter.listMicrovmsOfVersion(arn, '2.0')).toEqual([second]);

    await adapter.terminateMicrovm(first);
    expect(await adapter.listMicrovmsOfVersion(arn, '1.0')).toEqual([first]);
    await simulator.clock.advance(BUILD_MS);
    expect(await adapter.listMicrovmsOfVersion(arn, '1.0')).toEqual([]);
  });
});

describe('the end of a log', () => {
  const write = (stream: string, ...lines: Array<[number, string]>) => simulator.logs.append(
    simulator.logs.stream(simulator.logs.get(LOG_GROUP)!, stream, 0), lines.map(([timestamp, message]) => ({ timestamp, message })), 0);

  test('is its last twelve lines over all streams, by time, without those that say nothing', async () => {
    write('one', ...Array.from({ length: 20 }, (_, index): [number, string] => [1_000 + index * 10, `line ${index}\n`]));
    write('other', [1_185, ' another '], [1_300, '\n'], [1_301, '--------'], [1_302, '   3 |  ']);
    expect(await adapter.tailLog(LOG_GROUP, '1.0', 1_000)).toEqual([
      ...[9, 10, 11, 12, 13, 14, 15, 16, 17, 18].map((index) => `line ${index}`), 'another', 'line 19',
    ]);
  });

  test('is by time, although the service answers otherwise', async () => {
    const port = await serving(() => ({ events: [{ timestamp: 2, message: 'second' }, { timestamp: 1, message: 'first' }] }));
    expect(await port.tailLog(LOG_GROUP, '1.0', 0)).toEqual(['first', 'second']);
  });

  test('is of the build alone when MicroVMs write to the same group', async () => {
    write('2026/11/23[0.0]docker', [1_000, 'COPY failed']);
    write('2026/11/23[2.0]microvm-1', [1_001, 'hook server up']);
    write('2026/11/23[1.0]microvm-2', ...Array.from({ length: 40 }, (_, index): [number, string] => [1_100 + index, 'request served']));
    expect(await adapter.tailLog(LOG_GROUP, '2.0', 0)).toEqual(['COPY failed', 'hook server up']);
  });

  test('is the end, however much stands before it', async () => {
    write('many', ...Array.from({ length: 25_000 }, (_, index): [number, string] => [1_000 + index, `line ${index}`]));
    expect((await adapter.tailLog(LOG_GROUP, '1.0', 0)).at(-1)).toBe('line 24999');
  });

  test('leaves out what was written before', async () => {
    write('a', [1_000, 'old'], [2_000, 'new']);
    expect(await adapter.tailLog(LOG_GROUP, '1.0', 1_500)).toEqual(['new']);
  });

  test('that is not there is a refusal, which the driver bears', async () => {
    expect(await refusalOf(adapter.tailLog('/none', '1.0', 0))).toMatchObject({ refusal: 'notFound', operation: 'FilterLogEvents' });
  });
});

describe('a refusal of the service', () => {
  function injected(type: string, message: string | null, status?: number): FaultSpec {
    return { operation: '*', times: EVERY_TIME, error: { type, message, status } };
  }

  test.each<[Refusal, string, FaultSpec]>([
    ['transient', 'ThrottlingException', injected('ThrottlingException', 'Rate exceeded')],
    ['transient', 'TooManyRequestsException', injected('TooManyRequestsException', 'Rate exceeded', 429)],
    ['transient', 'InternalServerException', injected('InternalServerException', 'Internal server error')],
    ['transient', 'ExpiredTokenException', injected('ExpiredTokenException', 'The security token included in the request is expired', 403)],
    ['transient', 'ServiceException', injected('ServiceException', 'Internal', 500)],
    ['transient', 'an unknown error of the server', injected('SomethingNewException', 'who knows', 503)],
    ['transient', 'an unknown throttle', injected('SlowDownException', 'slow down', 429)],
    ['transient', 'the HTML page of a gateway', { operation: '*', times: EVERY_TIME, http502: true }],
    ['transient', 'a lost connection', { operation: '*', times: EVERY_TIME, lostResponse: true }],
    ['quota', 'ServiceQuotaExceededException', injected('ServiceQuotaExceededException', 'maximum number of concurrent builds')],
    ['busy', 'ConflictException', injected('ConflictException', 'MicroVM Image is already in state: UPDATING')],
    ['busy', 'ResourceConflictException', injected('ResourceConflictException', 'busy', 409)],
    ['busy', 'a state behind a ValidationException', injected('ValidationException', 'Cannot delete MicroVM image in its current state: CREATING')],
    ['busy', 'a change under way behind a ValidationException', injected('ValidationException', 'MicroVM Image is already in state: UPDATING')],
    ['denied', 'AccessDeniedException', injected('AccessDeniedException', 'not authorized')],
    ['denied', 'AccessDeniedException without a text', injected('AccessDeniedException', null)],
    ['denied', 'a role that cannot be assumed', injected('ValidationException', 'Lambda was unable to assume the role')],
    ['denied', 'a role that cannot be assumed, in the words of functions', injected('InvalidParameterValueException', 'The role defined for the image cannot be assumed by Lambda.', 400)],
    ['denied', 'an unknown 403', injected('UnrecognizedClientException', 'bad token', 403)],
    ['nameTaken', 'a taken name', injected('ValidationException', "A MicroVM image with the name 'shop-app' already exists in this account")],
    ['runningMicrovms', 'running MicroVMs', injected('ValidationException', 'Cannot delete microvm image with running microvms.')],
    ['notFound', 'ResourceNotFoundException', injected('ResourceNotFoundException', 'MicroVMImage not found')],
    ['invalid', 'ValidationException', injected('ValidationException', 'The requested memory size of 3000 MiB is not supported')],
    ['invalid', 'InvalidParameterValueException', injected('InvalidParameterValueException', 'too many tags', 400)],
  ])('is %s: %s', async (expected, _what, fault) => {
    simulator.faults.inject(fault);
    const refusal = await refusalOf(adapter.listVersions(arn));
    expect(refusal).toMatchObject({ refusal: expected, operation: 'ListMicrovmImageVersions' });
    if (fault.error?.message) {
      expect(refusal.message).toBe(fault.error.message);
    }
  });

  test.each<[Refusal, string, () => Promise<void>]>([
    ['nameTaken', 'a second create', async () => { await createAndBuild(); await adapter.createImage(NAME, config(), {}, 'another'); }],
    ['busy', 'an update during a build', async () => { await create(); await adapter.updateImage(arn, config(), 'token-2'); }],
    ['busy', 'a delete during a build', async () => { await create(); await adapter.deleteImage(arn); }],
    ['busy', 'a tag during a build', async () => { await create(); await adapter.tag(arn, { a: 'b' }); }],
    ['runningMicrovms', 'a delete under a MicroVM', async () => { await createAndBuild(); await startMicrovm(); await adapter.deleteImage(arn); }],
    ['quota', 'one build too many', async () => { simulator.quotas.concurrentBuilds = 0; await create(); }],
    ['invalid', 'a memory size that does not exist', async () => create({ minimumMemoryInMiB: 3_000 })],
    ['invalid', 'a base version that does not exist', async () => create({ baseImageVersion: '999' })],
    ['invalid', 'the deletion of the last version', async () => { await createAndBuild(); await adapter.deleteVersion(arn, '1.0'); }],
    ['notFound', 'an update of nothing', async () => adapter.updateImage(arn, config(), 'token-2')],
  ])('is %s: %s, in the service\'s own words', async (expected, _what, work) => {
    const refusal = await refusalOf(work());
    expect(refusal.refusal).toBe(expected);
    expect(refusal.message).toBe(simulator.calls.all.at(-1)!.outcome.message);
  });

  test('that passes within a call is not seen at all', async () => {
    await create();
    simulator.faults.inject({ operation: 'GetMicrovmImage', http502: true });
    expect(await adapter.getImage(arn)).toMatchObject({ state: 'CREATING' });
  });

  test('is transient when a page comes in its place that is none of the service, whatever its status', async () => {
    const port = await serving(() => '<html>Please sign in</html>');
    expect(await refusalOf(port.listVersions(arn))).toMatchObject({ refusal: 'transient', message: expect.stringMatching(/HTTP 200 with something else than JSON/) });
  });

  test('a create whose answer was lost is answered by its client token, not made twice', async () => {
    simulator.faults.inject({ operation: 'CreateMicrovmImage', lostResponse: true });
    await create();
    expect(simulator.images.map(({ versions }) => versions.length)).toEqual([1]);
  });

  test('is transient when the tick is over', async () => {
    const late = new SdkAdapter(AbortSignal.abort());
    expect((await refusalOf(late.getImage(arn))).refusal).toBe('transient');
  });
});

describe('a list of several pages', () => {
  const PAGES = [
    { items: [{ imageVersion: '1.0', buildId: '1.0', microvmId: '1.0' }], nextToken: 'b2Zmc2V0PTAx==' },
    { items: [], nextToken: 'b2Zmc2V0PTAy==' },
    { items: [{ imageVersion: '2.0', buildId: '2.0', microvmId: '2.0' }], nextToken: null },
  ];

  test.each<[string, (port: ServicePort) => Promise<Array<string>>]>([
    ['versions', async (port) => (await port.listVersions(arn)).map(({ version }) => version)],
    ['builds', async (port) => (await port.listBuilds(arn, '1.0')).map(({ buildId }) => buildId)],
    ['base versions', async (port) => (await port.listBaseVersions(BASE)).map(({ version }) => version)],
    ['MicroVMs', async (port) => port.listLiveMicrovms(arn)],
  ])('of %s is read to its end, past an empty page', async (_what, list) => {
    expect(await list(await serving((index) => PAGES[index]))).toEqual(['1.0', '2.0']);
    expect(asked.map((url) => url.searchParams.get('nextToken'))).toEqual([null, PAGES[0].nextToken, PAGES[1].nextToken]);
    expect(asked.map((url) => url.searchParams.get('maxResults'))).toEqual(['50', '50', '50']);
  });

  test('that never ends is a passing fault, not a short list', async () => {
    const port = await serving(() => ({ items: [], nextToken: 'again' }));
    expect(await refusalOf(port.listVersions(arn))).toMatchObject({ refusal: 'transient', message: expect.stringMatching(/pages/) });
  });
});

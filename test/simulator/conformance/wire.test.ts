import * as sdk from '@aws-sdk/client-lambda-microvms';
import { ARTIFACT, BASE, CREDENTIALS, refusal, ROLE, World } from './world';

let world: World;

beforeEach(async () => { world = await World.start(); });
afterEach(() => world.sim.stop());

/** A raw call with a signature that is well-formed, so that the bytes of the answer can be looked at. */
function raw(method: string, path: string, options: { body?: unknown; scope?: string; headers?: Record<string, string> } = {}) {
  const scope = options.scope ?? '20261123/us-east-1/lambda/aws4_request';
  return fetch(`${world.sim.endpoint}${path}`, {
    method,
    headers: { authorization: `AWS4-HMAC-SHA256 Credential=AKIARAW/${scope}, SignedHeaders=host, Signature=00`, ...options.headers },
    body: options.body === undefined ? undefined : JSON.stringify(options.body),
  });
}

const IMAGES = '/2025-09-09/microvm-images';

describe('3.1 errors', () => {
  test('3.1 an unsigned call gets 403 and changes nothing', async () => {
    const body = JSON.stringify({ ...world.config, name: 'app' });
    const response = await fetch(`${world.sim.endpoint}${IMAGES}`, { method: 'POST', body });
    expect(response.status).toBe(403);
    expect(world.sim.images).toHaveLength(0);
    expect(world.sim.calls.of('CreateMicrovmImage')[0].outcome.status).toBe(403);
  });

  test('1 a call signed for another service or region gets 403', async () => {
    expect((await raw('GET', IMAGES, { scope: '20261123/us-east-1/lambda-microvms/aws4_request' })).status).toBe(403);
    expect((await raw('GET', IMAGES, { scope: '20261123/eu-west-1/lambda/aws4_request' })).status).toBe(403);
    expect((await raw('GET', IMAGES)).status).toBe(200);
  });

  test('3.1 an error carries its type in the header and null members in the body', async () => {
    const response = await raw('GET', `${IMAGES}/${world.arn('ghost')}`);
    expect(response.status).toBe(404);
    expect(response.headers.get('x-amzn-errortype')).toBe('ResourceNotFoundException');
    expect(await response.json()).toEqual({
      message: `MicroVMImage not found for MicroVMImageID: ${world.arn('ghost')}`, resourceId: null, resourceType: null,
    });
  });

  test('3.1 a quota is 402 with quotaCode and serviceCode null', async () => {
    world.sim.quotas.concurrentBuilds = 0;
    const response = await raw('POST', IMAGES, { body: { ...world.config, name: 'app' } });
    expect(response.status).toBe(402);
    expect(await response.json()).toEqual({
      message: expect.stringContaining('maximum number of concurrent builds'), quotaCode: null, serviceCode: null, resourceId: null, resourceType: null,
    });
  });
});

describe('3.4 documents', () => {
  test('3.4 unset members come back as nulls, with members that are in no model', async () => {
    const response = await raw('POST', IMAGES, { body: { ...world.config, name: 'app' } });
    expect(response.status).toBe(201);
    const document: any = await response.json();
    expect(document).toMatchObject({
      description: null,
      hooks: null,
      logging: null,
      latestActiveImageVersion: null,
      latestFailedImageVersion: null,
      buildPhaseOverrides: null,
      roleConfiguration: null,
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(typeof document.createdAt).toBe('number');
  });

  test('3.4 versions carry versionStateTimeBucket, builds and MicroVMs terminationReasonCode', async () => {
    const arn = await world.built('app');
    const { items: [version] } = await (await raw('GET', `${IMAGES}/${arn}/versions`)).json() as any;
    expect(version).toHaveProperty('versionStateTimeBucket', null);
    expect(version).toHaveProperty('tags', null);
    const { items: [build] } = await (await raw('GET', `${IMAGES}/${arn}/versions/1.0/builds`)).json() as any;
    expect(build).toHaveProperty('terminationReasonCode', null);
    const { microvmId } = await world.run('app');
    expect(await (await raw('GET', `/2025-09-09/microvms/${microvmId}`)).json()).toHaveProperty('terminationReasonCode', null);
  });
});

describe('2.1 identifiers', () => {
  test('4 an ARN in the path may be raw or percent-encoded', async () => {
    const arn = await world.built('app');
    expect((await raw('GET', `${IMAGES}/${arn}`)).status).toBe(200);
    expect((await raw('GET', `${IMAGES}/${encodeURIComponent(arn)}`)).status).toBe(200);
  });

  test('2.1 the slash form of an ARN is access denied, not a validation error', async () => {
    await world.built('app');
    const imageIdentifier = world.arn('app').replace('microvm-image:', 'microvm-image/');
    expect(await refusal(world.client.send(new sdk.GetMicrovmImageCommand({ imageIdentifier })))).toMatchObject({ name: 'AccessDeniedException', status: 403 });
    expect((await raw('GET', `${IMAGES}/${imageIdentifier}`)).status).toBe(403);
  });

  test('2.1 an ARN of another account is 403, never 404', async () => {
    const imageIdentifier = world.arn('app').replace('000000000000', '111111111111');
    expect(await refusal(world.client.send(new sdk.DeleteMicrovmImageCommand({ imageIdentifier })))).toMatchObject({ name: 'AccessDeniedException', status: 403 });
  });

  test('3.2 a bare name is no identifier', async () => {
    await world.built('app');
    const get = refusal(world.client.send(new sdk.GetMicrovmImageCommand({ imageIdentifier: 'app' })));
    expect(await get).toEqual({ name: 'ValidationException', status: 400, message: 'Invalid ARN format: app' });
    const builds = refusal(world.client.send(new sdk.ListMicrovmImageBuildsCommand({ imageIdentifier: 'app', imageVersion: '1.0' })));
    expect((await builds).message).toContain("Malformed ARN - doesn't start with 'arn:'");
    const run = refusal(world.client.send(new sdk.RunMicrovmCommand({ imageIdentifier: 'app' })));
    expect((await run).message).toContain("Malformed ARN - doesn't start with 'arn:'");
  });
});

describe('3.2 constraints', () => {
  const bad: [string, Record<string, unknown>, string][] = [
    ['a name with a dot', { name: 'a.b' }, "at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern"],
    ['a name of 65 characters', { name: 'x'.repeat(65) }, 'length less than or equal to 64'],
    ['a role that is no role ARN', { buildRoleArn: 'arn:aws:iam::000000000000:user/someone' }, "at 'buildRoleArn'"],
    ['two egress connectors', { egressNetworkConnectors: ['a', 'b'] }, "at 'egressNetworkConnectors' failed to satisfy constraint: Member must have length less than or equal to 1"],
    ['x86', { cpuConfigurations: [{ architecture: 'X86_64' }] }, 'enum value set: [ARM_64]'],
    ['a hook timeout of 61 s', { hooks: { port: 1, microvmHooks: { run: 'ENABLED', runTimeoutInSeconds: 61 } } }, 'value less than or equal to 60'],
    ['a ready timeout of an hour and a second', { hooks: { port: 1, microvmImageHooks: { ready: 'ENABLED', readyTimeoutInSeconds: 3601 } } }, 'less than or equal to 3600'],
    ['port 0', { hooks: { port: 0 } }, "at 'hooks.port'"],
    ['51 environment variables', { environmentVariables: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`K${i}`, ''])) }, 'length less than or equal to 50'],
    ['an environment value of 4097 characters', { environmentVariables: { K: 'v'.repeat(4097) } }, 'length less than or equal to 4096'],
    ['a log group with a space', { logging: { cloudWatch: { logGroup: 'a b' } } }, "at 'logging.cloudWatch.logGroup'"],
    ['a tag value with an asterisk', { tags: { k: '*' } }, "at 'tags.k.member'"],
    ['a client token of 129 characters', { clientToken: 't'.repeat(129) }, "at 'clientToken'"],
  ];

  test.each(bad)('3.2 %s is refused', async (_, more, message) => {
    const response = await raw('POST', IMAGES, { body: { ...world.config, name: 'app', ...more } });
    expect(response.status).toBe(400);
    expect((await response.json() as any).message).toContain(message);
    expect(world.sim.images).toHaveLength(0);
  });

  test('4.1 missing members are counted and named', async () => {
    const response = await raw('POST', IMAGES, { body: { name: 'app', codeArtifact: null } });
    expect((await response.json() as any).message).toBe("3 validation errors detected: Value null at 'baseImageArn' failed to satisfy constraint: Member must not be null; "
      + "Value null at 'buildRoleArn' failed to satisfy constraint: Member must not be null; "
      + "Value null at 'codeArtifact' failed to satisfy constraint: Member must not be null");
  });

  test('1 a scalar of the wrong JSON type is a serialization error, as a stringified number from CloudFormation would be', async () => {
    const response = await raw('POST', IMAGES, { body: { ...world.config, name: 'app', resources: [{ minimumMemoryInMiB: '2048' }] } });
    expect(response.status).toBe(400);
    expect(response.headers.get('x-amzn-errortype')).toBe('SerializationException');
  });

  test('3.2 environment values never show up in an error', async () => {
    const response = await raw('POST', IMAGES, { body: { ...world.config, name: 'app', environmentVariables: { K: `hush${'v'.repeat(4096)}` } } });
    expect(await response.text()).not.toContain('hush');
  });

  test.each([0, 51])('3.2 maxResults %d is refused', async (maxResults) => {
    expect(await refusal(world.client.send(new sdk.ListMicrovmImagesCommand({ maxResults })))).toMatchObject({ name: 'ValidationException', status: 400 });
  });
});

describe('3.3 client tokens', () => {
  const clientToken = 'token-1';

  test('3.3 the same token and parameters replay the original answer without a second effect', async () => {
    const first = await world.create('app', { clientToken });
    await world.settle();
    const second = await world.create('app', { clientToken });
    expect({ ...second, $metadata: undefined }).toEqual({ ...first, $metadata: undefined });
    expect(second.state).toBe('CREATING');
    expect(world.sim.images[0].versions).toHaveLength(1);
  });

  test('3.3 an update is replayed too, without a new version', async () => {
    await world.built('app');
    await world.update('app', { clientToken });
    await world.settle();
    expect((await world.update('app', { clientToken })).imageVersion).toBe('2.0');
    expect(world.sim.images[0].versions).toHaveLength(2);
  });

  test('3.3 the same token with other parameters is a conflict', async () => {
    await world.create('app', { clientToken });
    expect(await refusal(world.create('app', { clientToken, description: 'other' }))).toMatchObject({ name: 'ConflictException', status: 409 });
  });

  test('3.3 a token is kept for good: after delete and re-create the image is wedged and cannot be deleted', async () => {
    const first = await world.create('app', { clientToken });
    await world.settle();
    await world.deleteImage('app');
    await world.settle();
    const again = await world.create('app', { clientToken });
    expect(again.createdAt).toEqual(first.createdAt);
    await world.sim.clock.advance(14 * 3_600_000);
    expect((await world.image('app')).state).toBe('CREATING');
    expect((await world.builds('app', '1.0')).map(({ buildState }) => buildState)).toEqual(['PENDING', 'PENDING']);
    expect((await refusal(world.deleteImage('app'))).message).toContain('in its current state: CREATING');
    await world.sim.clock.advance(2 * 3_600_000);
    expect((await world.image('app')).state).toBe('CREATE_FAILED');
  });

  test('3.3 a refused create does not use up its token', async () => {
    world.sim.quotas.concurrentBuilds = 0;
    await refusal(world.create('app', { clientToken }));
    world.sim.quotas.concurrentBuilds = 1;
    expect((await world.create('app', { clientToken })).state).toBe('CREATING');
  });
});

test('3 all 24 operations of the API are played', async () => {
  const input = {
    imageIdentifier: world.arn('ghost'), imageVersion: '1.0', buildId: 'b', microvmIdentifier: 'microvm-x', Resource: world.arn('ghost'), tagKeys: ['a'],
  };
  const commands = Object.entries(sdk).filter(([name]) => /^[A-Z]\w+Command$/.test(name));
  for (const [, Command] of commands) {
    await world.client.send(new (Command as any)(input)).catch(() => undefined);
  }
  const played = world.sim.calls.all.map(({ operation }) => `${operation}Command`);
  expect(played).toEqual(commands.map(([name]) => name));
  expect(played).toHaveLength(24);
});

describe('call log', () => {
  test('every call is logged with operation, resource, caller, body and what IAM would check', async () => {
    await world.built('app', { tags: { team: 'a' } });
    const [call] = world.sim.calls.of('CreateMicrovmImage');
    expect(call).toMatchObject({
      operation: 'CreateMicrovmImage',
      resource: '*',
      caller: { accessKeyId: CREDENTIALS.accessKeyId, signingService: 'lambda', userAgent: expect.stringContaining('aws-sdk-js') },
      body: { name: 'app', codeArtifact: { uri: ARTIFACT }, baseImageArn: BASE },
      outcome: { status: 201 },
    });
    expect(call.requires).toEqual([
      { action: 'lambda:CreateMicrovmImage', resource: '*' },
      { action: 'iam:PassRole', resource: ROLE },
      { action: 'lambda:PassNetworkConnector', resource: expect.stringContaining(':INTERNET_EGRESS') },
      { action: 'lambda:TagResource', resource: world.arn('app') },
    ]);
  });

  test('9.3 instance calls authorise on the image of the MicroVM', async () => {
    const arn = await world.built('app');
    const { microvmId } = await world.run('app');
    await world.terminate(microvmId!);
    expect(world.sim.calls.of('TerminateMicrovm')[0].resource).toBe(arn);
    expect(world.sim.calls.of('RunMicrovm')[0].requires.map(({ action }) => action))
      .toEqual(['lambda:RunMicrovm', 'lambda:PassNetworkConnector', 'lambda:PassNetworkConnector']);
  });
});

import * as fc from 'fast-check';
import { twoBuilds } from './builders';
import { BuildFailure, buildReasons, BuildStage, describeBuildFailure, describeFailure, stageReached } from '../../../src/custom-resources/microvm-image/handler/failure';

const MAX_BYTES = 1_500;
const ROLE = 'arn:aws:iam::111122223333:role/shop-build';

type Build = BuildFailure['builds'][number];

function bothFailed(reason: string | undefined, stage: BuildStage = 'unknown'): Build[] {
  return twoBuilds('FAILED', reason).map((build) => ({ ...build, stage }));
}

function failedDifferently(first: Partial<Build>, second: Partial<Build>): Build[] {
  const [three, four] = bothFailed('The container image build failed.');
  return [{ ...three, ...first }, { ...four, ...second }];
}

function failure(overrides: Partial<BuildFailure> = {}): BuildFailure {
  return {
    imageName: 'shop-app',
    version: '3.0',
    builds: bothFailed('The container image build failed.', 'container'),
    artifactUri: 's3://assets/0a1b2c.zip',
    buildRoleArn: ROLE,
    logGroup: '/aws/lambda-microvms/shop-app',
    logLines: ['#7 npm ci', 'npm error code E404'],
    secrets: [],
    hookPort: 8080,
    isCreate: false,
    ...overrides,
  };
}

const hintOf = (text: string): string => text.slice(text.indexOf('Hint: '));

describe('the error of a failed build', () => {
  test('names image, version, reason, stage, log group and last lines, and ends with one hint', () => {
    expect(describeBuildFailure(failure())).toBe(
      "MicroVM image 'shop-app' version 3.0 failed to build: The container image build failed (Graviton 3, Graviton 4). "
      + 'It failed before a snapshot: in the artifact or the Dockerfile. '
      + 'Log group /aws/lambda-microvms/shop-app ends: #7 npm ci | npm error code E404. '
      + 'Hint: build the Dockerfile for linux/arm64 locally to see the same error.',
    );
  });

  test('says a reason once when both builds have the same', () => {
    const text = describeBuildFailure(failure({ builds: failedDifferently({ reason: 'DISK_STORAGE_FULL' }, { reason: 'DISK_STORAGE_FULL.' }) }));
    expect(text.match(/DISK_STORAGE_FULL/g)).toHaveLength(1);
    expect(text).toContain('DISK_STORAGE_FULL (Graviton 3, Graviton 4)');
  });

  test('says which chip had which reason when they differ', () => {
    const text = describeBuildFailure(failure({ builds: failedDifferently({ reason: 'Internal service error' }, { reason: 'DISK_STORAGE_FULL' }) }));
    expect(text).toContain('Internal service error (Graviton 3); DISK_STORAGE_FULL (Graviton 4)');
  });

  test('says both reasons, however long they are, and the chips by number', () => {
    const text = describeBuildFailure(failure({ builds: failedDifferently({ reason: `one ${'a'.repeat(1_000)}` }, { reason: `two ${'b'.repeat(1_000)}` }) }));
    expect(text).toMatch(/one a{100,}\.\.\. \(Graviton 3\); two b{100,}\.\.\. \(Graviton 4\)\./);
    expect(describeBuildFailure(failure({ builds: bothFailed('x').reverse() }))).toContain('x (Graviton 3, Graviton 4)');
  });

  test('does not speak of a build that succeeded', () => {
    const text = describeBuildFailure(failure({ builds: failedDifferently({ state: 'SUCCESSFUL', reason: 'fine' }, { reason: 'DISK_STORAGE_FULL' }) }));
    expect(text).toContain('failed to build: DISK_STORAGE_FULL (Graviton 4).');
    expect(text).not.toContain('fine');
  });

  test('admits it when the service gives no reason, or no build', () => {
    expect(describeBuildFailure(failure({ builds: bothFailed(undefined) }))).toContain('the service gave no reason (Graviton 3, Graviton 4)');
    expect(describeBuildFailure(failure({ builds: [] }))).toContain('the service gave no reason.');
  });

  test.each<[string, Build[], RegExp]>([
    ['the container build', bothFailed('x', 'container'), /artifact or the Dockerfile/],
    ['the hook', bothFailed('x', 'hook'), /its hook failed/],
    ['the hook that answered with an error', bothFailed('Ready hook check failed: 500 Internal Server Error', 'hook'), /its hook failed/],
    ['the artifact that could not be read', bothFailed('S3_ACCESS_DENIED', 'container'), /before the Dockerfile was built: at the artifact s3:\/\/assets\/0a1b2c\.zip\./],
    ['the artifact that is no zip', bothFailed('ARCHIVE_INVALID', 'container'), /at the artifact s3:\/\/assets\/0a1b2c\.zip\./],
    ['the artifact, whatever could be read of the builds', bothFailed('The specified key does not exist.'), /at the artifact s3:/],
    ['the Dockerfile that reads from S3 itself', bothFailed('The container image build failed: s3:GetObject Access Denied', 'container'), /artifact or the Dockerfile/],
  ])('names %s as the stage', (_stage, builds, words) => {
    expect(describeBuildFailure(failure({ builds }))).toMatch(words);
  });

  test.each<[string, Build[]]>([
    ['unknown', bothFailed('x')],
    ['no place to look, by the reason: a main process that ended', bothFailed('Container Stopped with Exit Code: 1', 'hook')],
    ['not the same for both', failedDifferently({ stage: 'container' }, { stage: 'hook' })],
    ['no place to look, by the reason: a fault of the service', bothFailed('Internal service error', 'container')],
    ['no place to look, by the reason: a role that is not assumed', bothFailed('Lambda was unable to assume the role', 'container')],
  ])('names no stage when it is %s', (_what, builds) => {
    expect(describeBuildFailure(failure({ builds }))).not.toMatch(/artifact or the Dockerfile|its hook failed/);
  });

  test('says where the log is when it has no line, and that there is none when logging is disabled', () => {
    expect(describeBuildFailure(failure({ logLines: [] }))).toContain('Log group /aws/lambda-microvms/shop-app has no line');
    expect(describeBuildFailure(failure({ logGroup: undefined, logLines: [] }))).toContain('Logging is disabled');
  });

  test('keeps the end of a long log: that is where the error is', () => {
    const logLines = [...Array.from({ length: 200 }, (_, index) => `#7 line ${index}`), 'the error'];
    const text = describeBuildFailure(failure({ logLines }));
    expect(text).toContain('line 199 | the error.');
    expect(text).not.toContain('line 0 ');
  });
});

describe('how far a build got', () => {
  test.each<[string, Parameters<typeof stageReached>[0], BuildStage]>([
    ['nothing was installed', {}, 'container'],
    ['nothing was installed but an empty image', { codeBytes: 0 }, 'hook'],
    ['no memory was kept', { codeBytes: 1, memoryBytes: 0 }, 'hook'],
    ['all of it was made', { codeBytes: 1, memoryBytes: 1, diskBytes: 1 }, 'unknown'],
  ])('when %s', (_what, sizes, stage) => {
    expect(stageReached(sizes)).toBe(stage);
  });

  test('is not known of two that got differently far, and its reasons fit an event', () => {
    const told = buildReasons({ builds: failedDifferently({ stage: 'container', reason: 'x'.repeat(2_000) }, { stage: 'hook', reason: 'y'.repeat(2_000) }), secrets: [] });
    expect(told.stage).toBe('unknown');
    expect(Buffer.byteLength(told.reason)).toBeLessThanOrEqual(450);
    expect(buildReasons({ builds: bothFailed('x', 'hook'), secrets: [] })).toEqual({ reason: 'x (Graviton 3, Graviton 4)', stage: 'hook' });
    expect(buildReasons({ builds: [], secrets: [] }).stage).toBe('unknown');
  });
});

describe('the hint', () => {
  test.each<[reason: string, stage: BuildStage, hint: RegExp]>([
    ['S3_ACCESS_DENIED: Access Denied', 'container', /role\/shop-build needs s3:GetObject/],
    [`User: ${ROLE} is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::assets/0a1b2c.zip"`, 'container', /role\/shop-build needs s3:GetObject/],
    ['is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:111122223333:key/1', 'container', /kms:Decrypt/],
    ['The specified key does not exist.', 'container', /deploy again to upload/],
    ["The operation is not valid for the object's storage class", 'container', /as it is stored/],
    ['S3_NO_SUCH_KEY', 'container', /deploy again to upload/],
    ['S3_NO_SUCH_BUCKET', 'container', /deploy again to upload/],
    ['S3_INVALID_OBJECT', 'container', /as it is stored/],
    ['S3_CROSS_REGION_ACCESS_DENIED', 'container', /in the image's region/],
    ['ARCHIVE_DOCKERFILE_NOT_FOUND', 'container', /Dockerfile at its root/],
    ['ARCHIVE_INVALID', 'container', /must be a zip/],
    ['CONTAINER_BUILD_FAILED', 'container', /build the Dockerfile for linux\/arm64/],
    ['The container image build failed.', 'container', /build the Dockerfile for linux\/arm64/],
    ['DISK_STORAGE_FULL', 'container', /larger memory/],
    ['INTERNAL_PLATFORM_ERROR', 'container', /deploy again/],
    ['Internal service error', 'container', /deploy again/],
    ['Ready hook invocation timed out after PT5M', 'hook', /\/ready on port 8080 .*ready timeout/],
    ['Ready hook check failed: 500', 'hook', /POST \/aws\/lambda-microvms\/runtime\/v1\/ready must be answered with 200 on port 8080/],
    ['Validate hook check failed: the application returned a server error (HTTP 5xx) response', 'unknown', /v1\/validate must be answered with 200 on port 8080/],
    ['A hook check failed', 'hook', /the hook must be answered with 200/],
    ['Container Stopped with Exit Code: 1', 'unknown', /main process must go on.*CMD and ENTRYPOINT/],
    ['The container image build failed: s3:GetObject Access Denied', 'container', /build the Dockerfile/],
    ['Validate hook invocation timed out after PT10M', 'unknown', /\/validate on port 8080 .*validate timeout/],
    ['The role defined for the image cannot be assumed by Lambda.', 'unknown', /role\/shop-build must trust/],
    ['Lambda was unable to assume the role', 'unknown', /role\/shop-build must trust lambda\.amazonaws\.com.*sourceAccountCondition: false/],
  ])('for %s (%s)', (reason, stage, hint) => {
    expect(hintOf(describeBuildFailure(failure({ builds: bothFailed(reason, stage) })))).toMatch(hint);
  });

  test.each(['CONTAINER_BUILD_FAILED', 'The container image build failed.'])('for %s does not need the stage, which may not be readable', (reason) => {
    expect(hintOf(describeBuildFailure(failure({ builds: bothFailed(reason, 'unknown') })))).toMatch(/Dockerfile/);
  });

  test('for a container that left no log names the permission to write one', () => {
    expect(hintOf(describeBuildFailure(failure({ logLines: [] })))).toMatch(/logs:PutLogEvents/);
  });

  test('does not send anybody to a log that is disabled', () => {
    const builds = bothFailed('something new');
    expect(hintOf(describeBuildFailure(failure({ builds, logGroup: undefined, logLines: [] })))).not.toMatch(/read the log group|logs:PutLogEvents/);
  });

  test('says how to keep the log group of a first deployment, and only of a first one', () => {
    expect(hintOf(describeBuildFailure(failure({ isCreate: true })))).toMatch(/--no-rollback/);
    expect(hintOf(describeBuildFailure(failure({ isCreate: false })))).not.toMatch(/--no-rollback/);
    expect(hintOf(describeBuildFailure(failure({ isCreate: true, logGroup: undefined, logLines: [] })))).not.toMatch(/--no-rollback/);
  });

  test('survives whatever comes before it', () => {
    const text = describeBuildFailure(failure({
      imageName: 'n'.repeat(64),
      builds: failedDifferently({ reason: `S3_ACCESS_DENIED ${'a'.repeat(1_000)}` }, { reason: `S3_ACCESS_DENIED ${'é'.repeat(1_000)}` }),
      artifactUri: `s3://assets/${'失'.repeat(340)}.zip`,
      buildRoleArn: `arn:aws:iam::111122223333:role/${'p'.repeat(512)}/shop-build`,
      logGroup: `/${'g'.repeat(511)}`,
      logLines: Array.from({ length: 12 }, () => '失敗'.repeat(200)),
    }));
    expect(hintOf(text)).toMatch(/^Hint: the build role cannot read the artifact: .*shop-build needs.*sourceAccountCondition: false\)\.$/);
    expect(text).toMatch(/失\.zip\. Log group \S+g ends: \S*失\S*\. Hint/);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_BYTES);
  });
});

describe('secrets', () => {
  const withSecret = (secret: string, overrides: Partial<BuildFailure>) => describeBuildFailure(failure({ secrets: [secret], ...overrides }));

  test('do not appear, in the reason or in the log', () => {
    const text = withSecret('hunter2hunter2', { builds: bothFailed('bad token hunter2hunter2!'), logLines: ['TOKEN=hunter2hunter2', 'again hunter2hunter2'] });
    expect(text).not.toContain('hunter2');
    expect(text).toContain('bad token ***!');
    expect(text).toContain('TOKEN=*** | again ***');
  });

  test('do not appear in part because the text was cut in the middle of one', () => {
    const secret = 'abcdefghijklmnopqrstuvwxyz0123456789';
    for (let padding = 560; padding <= 640; padding += 4) {
      const text = withSecret(secret, { logLines: [`${secret}${'.'.repeat(padding)}`] });
      expect(text).not.toContain('456789');
    }
    for (let padding = 260; padding <= 320; padding += 4) {
      const text = withSecret(secret, { builds: bothFailed(`${'.'.repeat(padding)}${secret}`), logLines: [] });
      expect(text).not.toContain('abcdef');
    }
  });

  test('do not appear in part because one is the beginning of another', () => {
    const text = describeBuildFailure(failure({ secrets: ['secret-1', 'secret-1-and-more'], logLines: ['TOKEN=secret-1-and-more'] }));
    expect(text).not.toContain('and-more');
  });

  test('do not appear when they are written over several lines', () => {
    const key = '-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\n9w0BAQEFAASCBKcwggSj\n-----END KEY-----';
    const text = withSecret(key, { logLines: key.split('\n') });
    expect(text).not.toContain('MIIEvQIBADANBgkqhkiG');
  });

  test('are values of six characters and more', () => {
    expect(withSecret('abc123', { logLines: ['key abc123'] })).toContain('key ***');
    expect(withSecret('abc12', { logLines: ['key abc12'] })).toContain('key abc12');
  });

  test('that are no secrets, such as a port, leave the text readable', () => {
    expect(withSecret('8080', { builds: bothFailed('Ready hook invocation timed out after PT5M', 'hook') })).toContain('port 8080');
  });
});

describe('every error', () => {
  const anyText = fc.string({ unit: 'grapheme', maxLength: 400 });
  const anyFailure: fc.Arbitrary<BuildFailure> = fc.record({
    imageName: fc.constantFrom('shop-app', 'n'.repeat(64)),
    version: fc.constant('3.0'),
    builds: fc.array(fc.record({
      buildId: fc.constant('b'),
      state: fc.constant('FAILED'),
      chip: fc.constantFrom('Graviton 3', 'Graviton 4'),
      reason: fc.option(fc.oneof(anyText, fc.constantFrom('S3_ACCESS_DENIED', 'Lambda was unable to assume the role', 'Ready hook check failed')), { nil: undefined }),
      stage: fc.constantFrom<BuildStage[]>('container', 'hook', 'unknown'),
    }), { maxLength: 2 }),
    artifactUri: anyText.map((key) => `s3://assets/${key}`),
    buildRoleArn: fc.constantFrom(ROLE, `arn:aws:iam::111122223333:role/${'p'.repeat(512)}/${'r'.repeat(64)}`),
    logGroup: fc.constantFrom(undefined, '/aws/lambda-microvms/shop-app', `/${'g'.repeat(511)}`),
    logLines: fc.array(anyText, { maxLength: 12 }),
    secrets: fc.constant([]),
    hookPort: fc.option(fc.nat(), { nil: undefined }),
    isCreate: fc.boolean(),
  });
  const line = (text: string) => {
    // eslint-disable-next-line no-control-regex
    expect(text).not.toMatch(/[\u0000-\u001f\u2028\u2029]/);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_BYTES);
  };

  test('is one line that fits the response, whatever the service and the log say', () => {
    fc.assert(fc.property(anyFailure, (what) => line(describeBuildFailure(what))));
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 3_000 }), anyText, (what, hint) => line(describeFailure(what, hint))));
  });

  test.each(['a', 'é', '失', '🔥'])('is no longer when it is written with %s', (character) => {
    const long = Array.from({ length: 5 }, (_, index) => `${'x'.repeat(index)}${character.repeat(1_000)}`);
    for (const text of long) {
      line(describeBuildFailure(failure({ builds: bothFailed(text), logLines: [text] })));
      line(describeFailure(text, 'deploy again'));
    }
  });

  test.each(['é', '失', '🔥'])('breaks no %s apart where it cuts', (character) => {
    for (let padding = 0; padding < 4; padding++) {
      const text = `${'x'.repeat(padding)}${character.repeat(1_000)}`;
      for (const error of [describeBuildFailure(failure({ builds: bothFailed(text), logLines: [text] })), describeFailure(text, 'deploy again')]) {
        expect(Buffer.from(error).toString()).toBe(error);
        expect(error).not.toContain('\ufffd');
      }
    }
  });

  test('is free of terminal colours', () => {
    expect(describeBuildFailure(failure({ logLines: ['\u001b[31mnpm error\u001b[0m code E404'] }))).toContain('ends: npm error code E404.');
  });

  test('keeps its hint when the service has a lot to say', () => {
    expect(describeFailure('x'.repeat(5_000), 'deploy again')).toMatch(/Hint: deploy again\.$/);
  });

  test('starts with a capital and says what to do', () => {
    expect(describeFailure('image is stuck', 'deploy again')).toBe('Image is stuck. Hint: deploy again.');
    expect(describeFailure('image\nis stuck', 'deploy\nagain')).toBe('Image is stuck. Hint: deploy again.');
  });
});

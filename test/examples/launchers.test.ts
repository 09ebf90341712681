import { createHash } from 'crypto';
import { once } from 'events';
import { createServer, Server } from 'http';
import { AddressInfo } from 'net';
import { join } from 'path';
import { App } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { testCleanTemplate } from './clean-template';
import { ImageProcess } from './image-process';
import { LaunchersStack } from '../../examples/launchers/launchers-stack';

// Nothing is bundled: pip has its registry to reach.
const template = testCleanTemplate(() => new LaunchersStack(new App({ context: { 'aws:cdk:bundling-stacks': [] } }), 'Launchers'));

test('its four launchers share one image and one profile, and it has nobody come in', () => {
  template().resourceCountIs('Custom::LambdaMicrovmImage', 1);
  template().resourceCountIs('AWS::SSM::Parameter', 1);
  const settings = Object.values(template().findResources('AWS::Lambda::Function'))
    .map(({ Properties }) => JSON.stringify(Properties.Environment?.Variables?.MICROVM_LAUNCH))
    .filter((launch) => launch !== undefined);
  expect(settings).toHaveLength(2);
  expect(new Set([...settings, JSON.stringify(Object.values(template().findResources('AWS::SSM::Parameter'))[0].Properties.Value)]).size).toBe(1);
  expect(settings[0]).toContain(':NO_INGRESS');
  template().allResourcesProperties('AWS::EC2::SecurityGroup', { SecurityGroupIngress: Match.absent() });
});

describe('the job', () => {
  const LAUNCH = { microvmId: 'microvm-1', runHookPayload: '' };
  let site: Server;
  let job: ImageProcess;
  beforeEach(async () => {
    site = createServer((request, response) => response.writeHead(request.url === '/file' ? 200 : 404).end('hello')).listen(0, '127.0.0.1');
    await once(site, 'listening');
    job = await ImageProcess.start(process.execPath, ['job.mjs'], join(__dirname, '..', '..', 'examples', 'launchers', 'image'), ['hooks']);
  });
  afterEach(async () => {
    await job.stop();
    site.closeAllConnections();
    site.close();
  });
  const run = async (path: string) => {
    const url = `http://127.0.0.1:${(site.address() as AddressInfo).port}${path}`;
    return job.hook('run', JSON.stringify({ ...LAUNCH, runHookPayload: JSON.stringify({ url }) }));
  };
  const result = () => JSON.parse(job.lines.at(-1)!);

  test('is done once and ends the MicroVM with exit code 0', async () => {
    expect(await job.hook('ready')).toBe(200);
    expect(await Promise.all([run('/file'), run('/file')])).toEqual([200, 200]);
    expect(await job.exited).toBe(0);
    expect(result()).toMatchObject({ microvmId: 'microvm-1', bytes: 5, sha256: createHash('sha256').update('hello').digest('hex') });
  });

  test('ends it with exit code 1 when it fails', async () => {
    expect(await run('/nothing')).toBe(200);
    expect(await job.exited).toBe(1);
    expect(result()).toMatchObject({ error: 'Error: HTTP 404' });
  });

  test.each([['not JSON'], ['{"url":"nowhere"}'], ['{}']])('is refused when it is %s', async (runHookPayload) => {
    expect(await job.hook('run', JSON.stringify({ ...LAUNCH, runHookPayload }))).toBe(400);
  });
});

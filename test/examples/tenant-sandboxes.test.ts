import { spawnSync } from 'child_process';
import { join } from 'path';
import { App } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { testCleanTemplate } from './clean-template';
import { ImageProcess } from './image-process';
import { TenantSandboxesStack } from '../../examples/tenant-sandboxes/tenant-sandboxes-stack';

describe('the template', () => {
  const template = testCleanTemplate(() => new TenantSandboxesStack(new App(), 'TenantSandboxes', { tenants: ['ant', 'bee'] }));

  test('sandboxes reach nothing, while builds reach their registries', () => {
    template().resourceCountIs('AWS::EC2::NatGateway', 0);
    template().resourceCountIs('AWS::EC2::InternetGateway', 0);
    // The rule that CDK writes for "none": it matches no traffic, and keeps EC2 from adding one that matches all.
    template().hasResourceProperties('AWS::EC2::SecurityGroup', {
      SecurityGroupEgress: [Match.objectLike({ CidrIp: '255.255.255.255/32', IpProtocol: 'icmp' })],
      SecurityGroupIngress: Match.absent(),
    });
    const [connector] = Object.keys(template().findResources('AWS::Lambda::NetworkConnector'));
    const launches = Object.values(template().findResources('AWS::SSM::Parameter')).map(({ Properties }) => egressOf(Properties.Value));
    expect(launches).toEqual(Array(2).fill(expect.stringContaining(connector)));
    expect(launches.join()).not.toContain('INTERNET_EGRESS');
    const builds = Object.values(template().findResources('Custom::LambdaMicrovmImage')).map(({ Properties }) => JSON.stringify(Properties.EgressNetworkConnectors));
    expect(builds).toEqual(Array(2).fill(expect.stringContaining('INTERNET_EGRESS')));
    expect(builds.join()).not.toContain(connector);
  });

  test('each tenant has an image, a role, a log and settings of their own, tagged with their name', () => {
    for (const tenant of ['ant', 'bee']) {
      template().resourcePropertiesCountIs('AWS::IAM::Role', { Tags: [{ Key: 'tenant', Value: tenant }], RoleName: Match.anyValue() }, 1);
      template().resourcePropertiesCountIs('AWS::SSM::Parameter', { Name: `/TenantSandboxes/${tenant}` }, 1);
    }
    template().resourceCountIs('Custom::LambdaMicrovmImage', 2);
  });
});

/** The list of egress connectors in the JSON of a launch, which is a join of texts and references. */
function egressOf(launch: any): string {
  return launch['Fn::Join'][1].map((part: unknown) => typeof part === 'string' ? part : JSON.stringify(part)).join('')
    .match(/"egressNetworkConnectors":\[(.*?\})?[^\]]*\]/)[0];
}

const hasPython = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))']).status === 0;

(hasPython ? describe : describe.skip)('the sandbox', () => {
  let sandbox: ImageProcess;
  beforeEach(async () => {
    sandbox = await ImageProcess.start('python3', ['-u', 'server.py'], join(__dirname, '..', '..', 'examples', 'tenant-sandboxes', 'image'));
  });
  afterEach(async () => sandbox.stop());

  const call = async (method: string, path: string, body?: string) => {
    const response = await fetch(`http://${sandbox.host('app')}${path}`, { method, body });
    return { status: response.status, answer: await response.text().then((text) => text && JSON.parse(text)) };
  };
  const run = async (code: string) => (await call('POST', '/run', JSON.stringify({ code }))).answer;

  test('runs Python, keeps variables, and survives what it runs', async () => {
    expect([await sandbox.hook('ready'), await sandbox.hook('validate'), await sandbox.hook('run', '{"microvmId":"microvm-1"}')]).toEqual([200, 200, 200]);
    expect(await run('x = 6 * 7\nprint(x)')).toEqual({ output: '42\n', failed: false });
    expect(await run('raise SystemExit(1)')).toMatchObject({ failed: true });
    expect(await run('1 +')).toMatchObject({ failed: true, output: expect.stringContaining('SyntaxError') });
    expect([await sandbox.hook('suspend'), await sandbox.hook('resume')]).toEqual([200, 200]);
    expect(await run('print(x + 1)')).toEqual({ output: '43\n', failed: false });
  });

  test('runs nothing before the run hook', async () => {
    expect((await call('GET', '/health')).status).toBe(503);
    expect(await call('POST', '/run', '{"code":"print(1)"}')).toMatchObject({ status: 503 });
    await sandbox.hook('run', '{}');
    expect((await call('GET', '/health')).status).toBe(200);
  });

  test('refuses what it does not know', async () => {
    await sandbox.hook('run', '{}');
    expect([await sandbox.hook('class__'), await sandbox.hook(''), (await call('POST', '/')).status, (await call('GET', '/')).status]).toEqual([404, 404, 400, 404]);
  });
});

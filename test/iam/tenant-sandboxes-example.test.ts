import { once } from 'events';
import { createServer, Server } from 'http';
import { AddressInfo } from 'net';
import { App } from 'aws-cdk-lib';
import { allowed, Check, DeployedExample } from './deployed-example';
import { ACCOUNT, REGION } from './deployed-template';
import { TenantSandboxesStack } from '../../examples/tenant-sandboxes/tenant-sandboxes-stack';

const INSTANCE_CALLS = ['GetMicrovm', 'SuspendMicrovm', 'ResumeMicrovm', 'TerminateMicrovm', 'CreateMicrovmAuthToken'];

let example: DeployedExample;
let cloud: Server;
let assumed: string[];
let handler: typeof import('../../examples/tenant-sandboxes/broker').handler;

/** The example as deployed, next to an STS and an SSM that know its roles and parameters. */
beforeAll(async () => {
  example = await DeployedExample.of(new TenantSandboxesStack(new App(), 'TenantSandboxes', { tenants: ['ant', 'bee'] }));
  const { template } = example;
  const roles = template.logicalIds('AWS::IAM::Role').map((id) => template.properties(id).RoleName).filter(Boolean);
  const parameters = new Map(template.logicalIds('AWS::SSM::Parameter').map((id) => [template.properties(id).Name, template.properties(id).Value]));
  cloud = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) {
      body += chunk;
    }
    if (request.headers['x-amz-target']) {
      response.end(JSON.stringify({ Parameter: { Value: parameters.get(JSON.parse(body).Name) } }));
      return;
    }
    const arn = new URLSearchParams(body).get('RoleArn')!;
    const role = arn.split('/').pop()!;
    if (!roles.includes(role)) {
      response.writeHead(403).end('<ErrorResponse><Error><Code>AccessDenied</Code><Message>no such role</Message></Error></ErrorResponse>');
      return;
    }
    assumed.push(arn);
    response.end(`<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
      <AccessKeyId>${role}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration>
      </Credentials></AssumeRoleResult></AssumeRoleResponse>`);
  }).listen(0, '127.0.0.1');
  await once(cloud, 'listening');
  const url = `http://127.0.0.1:${(cloud.address() as AddressInfo).port}`;
  Object.assign(process.env, { AWS_ENDPOINT_URL_STS: url, AWS_ENDPOINT_URL_SSM: url }, example.environmentOf('Broker'));
  handler = jest.requireActual<typeof import('../../examples/tenant-sandboxes/broker')>('../../examples/tenant-sandboxes/broker').handler;
}, 60_000);
afterAll(async () => {
  cloud.closeAllConnections();
  cloud.close();
  await example.stop();
});
beforeEach(() => {
  assumed = [];
  example.simulator.calls.clear();
});
afterEach(() => jest.restoreAllMocks());

const imageOf = (tenant: string) => example.imageArns.find((arn) => arn.includes(`-Tenant-${tenant}-`))!;
const roleOf = (tenant: string) => example.template.role(`Tenant${tenant}Role`);
const policiesOf = (tenant: string) => example.template.policiesOf(roleOf(tenant));
const open = async (tenant: string) => ((await handler({ tenant, action: 'open' })) as any).sandbox as string;

test('a tenant opens, uses, suspends, resumes and closes a sandbox, and their role allows exactly that', async () => {
  const requests: Array<[string, string, any]> = [];
  jest.spyOn(global, 'fetch').mockImplementation(async (url, options) => {
    requests.push([options!.method!, String(url), options!.headers]);
    return new Response('{"output":"42\\n","failed":false}', { status: requests.length === 1 ? 502 : 200 });
  });
  const sandbox = await open('ant');
  expect(await handler({ tenant: 'ant', action: 'run', sandbox, code: 'print(6 * 7)' })).toEqual({ output: '42\n', failed: false });
  await handler({ tenant: 'ant', action: 'suspend', sandbox });
  await handler({ tenant: 'ant', action: 'resume', sandbox });
  await handler({ tenant: 'ant', action: 'close', sandbox });

  // A sandbox that does not answer yet gets the code once it does, and once only.
  expect(requests.map(([method, url]) => `${method} ${new URL(url).pathname}`)).toEqual(['GET /health', 'GET /health', 'POST /run']);
  expect(requests.every(([_method, url, headers]) => url.startsWith('https://') && headers['X-aws-proxy-auth'])).toBe(true);
  expect(new Set(assumed)).toEqual(new Set([example.template.roleArn(roleOf('ant'))]));
  const [{ body }] = example.simulator.calls.of('RunMicrovm');
  expect(body).toMatchObject({ imageIdentifier: imageOf('ant'), egressNetworkConnectors: [expect.stringContaining(`:${ACCOUNT}:network-connector:NoNetwork`)] });

  const checks = example.takeChecks();
  expect(await allowed(policiesOf('ant'), checks)).toEqual(checks);
  expect(await allowed(policiesOf('ant'), [
    ...example.neighboursOf(imageOf('ant'), checks),
    { action: 'lambda:CreateMicrovmShellAuthToken', resource: imageOf('ant') },
  ])).toEqual([]);
});

test.each([['ant', 'bee'], ['bee', 'ant']])('whatever %s asks the broker to do with a sandbox of %s is denied', async (tenant, other) => {
  jest.spyOn(global, 'fetch').mockRejectedValue(new Error('nobody connects'));
  const sandbox = await open(other);
  example.simulator.calls.clear();
  assumed = [];
  for (const action of ['suspend', 'resume', 'close'] as const) {
    await handler({ tenant, action, sandbox });
  }
  const checks = example.takeChecks();
  // The service checks the image of the MicroVM, and that is the other's.
  expect(new Set(checks.map(({ resource }) => resource))).toEqual(new Set([imageOf(other)]));
  expect(new Set(assumed.map((arn) => arn.split('-').pop()))).toEqual(new Set([tenant]));
  expect(await allowed(policiesOf(tenant), checks)).toEqual([]);
});

test('a tenant reaches neither image, role, settings nor log of another', async () => {
  const { template } = example;
  const ofBee: Check[] = [
    ...['RunMicrovm', ...INSTANCE_CALLS].map((name) => ({ action: `lambda:${name}`, resource: imageOf('bee') })),
    { action: 'iam:PassRole', resource: template.roleArn(template.role('TenantbeeSandboxRole')) },
    { action: 'ssm:GetParameter', resource: `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/TenantSandboxes/bee` },
    { action: 'sts:AssumeRole', resource: template.roleArn(roleOf('bee')) },
  ];
  expect(await allowed(policiesOf('ant'), [...ofBee, { action: 'lambda:ListMicrovms', resource: '*' }])).toEqual([]);
  expect(await allowed(policiesOf('bee'), ofBee.slice(0, -1))).toEqual(ofBee.slice(0, -1));

  const [logOfAnt, logOfBee] = ['ant', 'bee'].map((tenant) => ({
    action: 'logs:PutLogEvents',
    resource: `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${example.logicalId('AWS::Logs::LogGroup', `Tenant${tenant}Logs`)}:log-stream:any`,
  }));
  const guest = template.policiesOf(template.role('TenantantSandboxRole'));
  expect(await allowed(guest, [logOfAnt, logOfBee, ...ofBee])).toEqual([logOfAnt]);
});

test('two tenants who shared an image would reach each other: nothing in a call tells their MicroVMs apart', async () => {
  const [first, second] = [await open('ant'), await open('ant')];
  const checksOf = async (sandbox: string) => {
    example.simulator.calls.clear();
    await handler({ tenant: 'ant', action: 'close', sandbox });
    return example.takeChecks();
  };
  expect(await checksOf(first)).toEqual(await checksOf(second));
});

test('the broker becomes one of its tenants, is nothing by itself, and is the only one who may', async () => {
  const { template } = example;
  const become = ['ant', 'bee'].map((tenant) => ({ action: 'sts:AssumeRole', resource: template.roleArn(roleOf(tenant)) }));
  const policies = example.policiesOf('BrokerRole');
  expect(await allowed(policies, become)).toEqual(become);
  expect(await allowed(policies, [
    { action: 'sts:AssumeRole', resource: `arn:aws:iam::${ACCOUNT}:role/Admin` },
    { action: 'sts:AssumeRole', resource: template.roleArn(template.role('TenantantSandboxRole')) },
    ...['RunMicrovm', ...INSTANCE_CALLS].map((name) => ({ action: `lambda:${name}`, resource: imageOf('ant') })),
    { action: 'ssm:GetParameter', resource: `arn:aws:ssm:${REGION}:${ACCOUNT}:parameter/TenantSandboxes/ant` },
  ])).toEqual([]);
  for (const tenant of ['ant', 'bee']) {
    expect(template.properties(roleOf(tenant)).AssumeRolePolicyDocument.Statement).toEqual([
      { Action: 'sts:AssumeRole', Effect: 'Allow', Principal: { AWS: example.roleArn('BrokerRole') } },
    ]);
  }
});

test.each([['../bee'], ['ant/bee'], [''], ['Ant'], ['a'.repeat(21)]])('a tenant called %j is refused before anybody is asked', async (tenant) => {
  await expect(handler({ tenant, action: 'open' })).rejects.toThrow('tenant must be');
  expect(assumed).toEqual([]);
});

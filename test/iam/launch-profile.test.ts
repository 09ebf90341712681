import {
  CreateMicrovmAuthTokenCommand, CreateMicrovmShellAuthTokenCommand, DeleteMicrovmImageVersionCommand, GetMicrovmCommand,
  GetMicrovmImageVersionCommand, LambdaMicrovmsClient, ListMicrovmImageBuildsCommand, ListMicrovmImageVersionsCommand, ListMicrovmsCommand,
  ResumeMicrovmCommand, RunMicrovmCommand, SuspendMicrovmCommand, TerminateMicrovmCommand, UpdateMicrovmImageCommand,
  UpdateMicrovmImageVersionCommand,
} from '@aws-sdk/client-lambda-microvms';
import { App, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { isAllowed } from './access';
import { buildImages } from './deployed-images';
import { ACCOUNT, DeployedTemplate, PolicyDocument, REGION } from './deployed-template';
import { GOLDEN_IMAGE, LAUNCH_SET_UPS, LaunchSetUp } from './launch-set-ups';
import { MicrovmConnector, MicrovmLaunchProfile, NetworkConnectorGuardrail } from '../../src';
import { imageIn } from '../constructs/fixtures';
import { MicrovmSimulator } from '../simulator';

const MANAGED = `arn:aws:lambda:${REGION}:aws:network-connector:aws-network-connector:`;

/** The calls each grant is for: it must allow them, with all that the service checks for them, and no other. */
const GRANTS: Record<string, string[]> = {
  Launch: ['RunMicrovm'],
  Connect: ['CreateMicrovmAuthToken'],
  Shell: ['CreateMicrovmShellAuthToken'],
  Control: ['GetMicrovm', 'SuspendMicrovm', 'ResumeMicrovm', 'TerminateMicrovm'],
  Manage: ['GetMicrovm', 'ListMicrovms', 'SuspendMicrovm', 'ResumeMicrovm', 'TerminateMicrovm'],
  Observe: ['GetMicrovm', 'ListMicrovms', 'DescribeLogStreams', 'FilterLogEvents', 'GetLogEvents'],
};

interface Check {
  readonly operation: string;
  readonly action: string;
  readonly resource: string;
}

interface Deployed {
  readonly input: any;
  readonly policies: Record<string, PolicyDocument[]>;
}

let simulator: MicrovmSimulator;
let client: LambdaMicrovmsClient;

beforeAll(async () => {
  simulator = await MicrovmSimulator.start({ advance: { mode: 'reads', reads: 1 } });
  Object.assign(process.env, { AWS_ENDPOINT_URL: simulator.endpoint, AWS_REGION: REGION, AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' });
  client = new LambdaMicrovmsClient({});
  const publisher = new Stack(new App(), 'Publisher');
  imageIn(publisher, { imageName: GOLDEN_IMAGE });
  await buildImages(templateOf(publisher), simulator);
}, 60_000);
afterAll(async () => {
  client.destroy();
  await simulator.stop();
});

test('there are at least fifty set-ups, all different', () => {
  expect(new Set(LAUNCH_SET_UPS.map(({ name }) => name)).size).toBe(LAUNCH_SET_UPS.length);
  expect(LAUNCH_SET_UPS.length).toBeGreaterThanOrEqual(50);
});

describe.each(LAUNCH_SET_UPS.map((setUp): [string, LaunchSetUp, number] => [setUp.name, setUp, LAUNCH_SET_UPS.indexOf(setUp)]))('%s', (_name, setUp, index) => {
  test('launches, and each grant allows its own calls and nothing on a neighbour', async () => {
    const all = await deploy(setUp, index);
    for (const { input, policies } of all) {
      const checks = await live(input);
      const forbidden = neighbours(input, checks, all.map((other) => other.input));
      for (const [grant, documents] of Object.entries(policies)) {
        const allowed = await decide(documents, checks);
        expect([grant, allowed]).toEqual([grant, checks.filter(({ operation }) => GRANTS[grant].includes(operation))]);
        expect([grant, await decide(documents, forbidden)]).toEqual([grant, []]);
      }
    }
  });
});

test('a publisher builds versions and looks after them, and neither launches nor touches the image itself', async () => {
  const stack = new Stack(new App(), 'Pipeline');
  const image = imageIn(stack, { imageName: 'published' });
  image.grants.publish(new iam.Role(stack, 'Publisher', { assumedBy: new iam.AccountRootPrincipal() }));
  const template = templateOf(stack);
  const [imageIdentifier] = await buildImages(template, simulator);
  const policies = template.policiesOf(template.role('Publisher'));
  const buildRoleArn = template.roleArn(template.role('ImageBuildRole'));
  const { baseImageArn, codeArtifact, resources, egressNetworkConnectors } =
    await client.send(new GetMicrovmImageVersionCommand({ imageIdentifier, imageVersion: '1.0' }));

  simulator.calls.clear();
  await client.send(new UpdateMicrovmImageCommand({ imageIdentifier, baseImageArn, buildRoleArn, codeArtifact, resources, egressNetworkConnectors }));
  for (let read = 0; read < 5; read++) {
    await client.send(new ListMicrovmImageVersionsCommand({ imageIdentifier }));
  }
  await client.send(new ListMicrovmImageBuildsCommand({ imageIdentifier, imageVersion: '2.0' }));
  await client.send(new UpdateMicrovmImageVersionCommand({ imageIdentifier, imageVersion: '1.0', status: 'INACTIVE' }));
  await client.send(new DeleteMicrovmImageVersionCommand({ imageIdentifier, imageVersion: '1.0' }));

  const checks = recorded();
  expect(checks.map(({ action }) => action)).toEqual(expect.arrayContaining(['iam:PassRole', 'lambda:PassNetworkConnector', 'lambda:DeleteMicrovmImageVersion']));
  expect(await decide(policies, checks)).toEqual(checks);
  const refused = [
    ...checks.map((check) => ({ ...check, resource: check.resource.replace(/published$|ImageBuildRole|INTERNET_EGRESS/, 'Neighbour') })),
    ...['lambda:RunMicrovm', 'lambda:DeleteMicrovmImage', 'lambda:TagResource', 'lambda:TerminateMicrovm']
      .map((action) => ({ operation: '', action, resource: imageIdentifier })),
  ];
  expect(await decide(policies, refused)).toEqual([]);
});

test.each([
  ['publicIngress', [`${MANAGED}HTTP_INGRESS`, `${MANAGED}ALL_INGRESS`]],
  ['shellIngress', [`${MANAGED}SHELL_INGRESS`]],
  ['internetEgress', [`${MANAGED}INTERNET_EGRESS`]],
])('an organisation that forbids %s overrules every permission to pass these connectors, and no other', async (what, forbidden) => {
  const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['lambda:*'], Resource: ['*'] }] };
  const policies = [everything, JSON.parse(NetworkConnectorGuardrail.forbid({ [what]: true }).toJson())];
  const connectors = [
    ...['HTTP_INGRESS', 'ALL_INGRESS', 'SHELL_INGRESS', 'NO_INGRESS', 'INTERNET_EGRESS'].map((name) => MANAGED + name),
    `arn:aws:lambda:${REGION}:${ACCOUNT}:network-connector:INTERNET_EGRESS`,
  ];
  const passes = (partition: string, region: string) => connectors
    .map((arn) => ({ operation: '', action: 'lambda:PassNetworkConnector', resource: arn.replace('arn:aws:', `arn:${partition}:`).replace(REGION, region) }));
  for (const [partition, region] of [['aws', REGION], ['aws', 'eu-west-1'], ['aws-cn', 'cn-north-1'], ['aws-us-gov', 'us-gov-west-1']]) {
    const all = passes(partition, region);
    const allowed = await decide(policies, all);
    expect(allowed.map(({ resource }) => connectors[all.findIndex((check) => check.resource === resource)]))
      .toEqual(connectors.filter((arn) => !forbidden.includes(arn)));
  }
  const tokens = { operation: '', action: 'lambda:CreateMicrovmShellAuthToken', resource: simulator.imageArn(GOLDEN_IMAGE) };
  expect(await decide(policies, [tokens])).toEqual(what === 'shellIngress' ? [] : [tokens]);
});

test('a launch that names no way in needs HTTP_INGRESS, which the profile\'s launcher may not pass', async () => {
  const [{ input, policies }] = await deploy({
    name: 'private',
    profiles: (stack) => [new MicrovmLaunchProfile(stack, 'Launch', { image: imageIn(stack) })],
  }, LAUNCH_SET_UPS.length);
  simulator.calls.clear();
  await client.send(new RunMicrovmCommand({ ...input, ingressNetworkConnectors: undefined }));
  const checks = recorded();
  const isPublic = ({ resource }: Check) => resource === `${MANAGED}HTTP_INGRESS`;
  expect(checks.filter(isPublic)).toHaveLength(1);
  expect(await decide(policies.Launch, checks)).toEqual(checks.filter((check) => !isPublic(check)));
});

function templateOf(stack: Stack): DeployedTemplate {
  return DeployedTemplate.of(stack, `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${stack.stackName}/11111111-2222-3333-4444-555555555555`);
}

/** A principal for each grant of each profile, the one to launch being a function, and the images built. */
async function deploy(setUp: LaunchSetUp, index: number): Promise<Deployed[]> {
  const stack = new Stack(new App(), `SetUp${index}`);
  const profiles = setUp.profiles(stack);
  profiles.forEach((profile, number) => {
    profile.addToFunction(new lambda.Function(stack, `Launch${number}Function`, {
      runtime: lambda.Runtime.NODEJS_24_X, handler: 'x', code: lambda.Code.fromInline('x'),
    }));
    const grantee = (grant: string) => new iam.Role(stack, `${grant}${number}Role`, { assumedBy: new iam.AccountRootPrincipal() });
    profile.grants.connect(grantee('Connect'));
    profile.grants.control(grantee('Control'));
    profile.grants.manage(grantee('Manage'));
    profile.grants.observe(grantee('Observe'));
    if (profile.ingressConnectors.includes(MicrovmConnector.SHELL_INGRESS)) {
      profile.grants.shell(grantee('Shell'));
    }
  });
  const template = templateOf(stack);
  await buildImages(template, simulator);
  const roles = template.logicalIds('AWS::IAM::Role');
  return profiles.map((_profile, number) => ({
    input: JSON.parse(template.properties(template.logicalIds('AWS::Lambda::Function').find((id) => id.startsWith(`Launch${number}Function`))!)
      .Environment.Variables.MICROVM_LAUNCH),
    policies: Object.fromEntries(Object.keys(GRANTS)
      .map((grant) => [grant, roles.find((id) => id.startsWith(grant + number))] as const)
      .filter(([, role]) => role !== undefined)
      .map(([grant, role]) => [grant, template.policiesOf(role!)])),
  }));
}

/** The life of a MicroVM through the SDK, and everything that IAM would check on the way, reading its logs included. */
async function live(input: any): Promise<Check[]> {
  simulator.calls.clear();
  const { microvmId: microvmIdentifier, ingressNetworkConnectors, egressNetworkConnectors } = await client.send(new RunMicrovmCommand(input));
  expect(ingressNetworkConnectors).toEqual(input.ingressNetworkConnectors);
  expect(egressNetworkConnectors).toEqual(input.egressNetworkConnectors ?? [`${MANAGED}INTERNET_EGRESS`]);
  await client.send(new GetMicrovmCommand({ microvmIdentifier }));
  await client.send(new ListMicrovmsCommand({ imageIdentifier: input.imageIdentifier }));
  await client.send(new ResumeMicrovmCommand({ microvmIdentifier }));
  await client.send(new CreateMicrovmAuthTokenCommand({ microvmIdentifier, expirationInMinutes: 15, allowedPorts: [{ port: 8080 }] }));
  if (input.ingressNetworkConnectors.includes(`${MANAGED}SHELL_INGRESS`)) {
    await client.send(new CreateMicrovmShellAuthTokenCommand({ microvmIdentifier, expirationInMinutes: 15 }));
  }
  // The end of one whose profile lets it be suspended for no time.
  await client.send(new SuspendMicrovmCommand({ microvmIdentifier }));
  await client.send(new TerminateMicrovmCommand({ microvmIdentifier }));
  return [...recorded(), ...logReads(input.logging?.cloudWatch?.logGroup)];
}

function recorded(): Check[] {
  return simulator.calls.all.flatMap(({ operation, requires }) => requires.map(({ action, resource }) => ({ operation, action, resource })));
}

/** The reference has the group as the resource of the first two, and a stream as that of the last. */
function logReads(group?: string): Check[] {
  const arn = `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${group}`;
  return group === undefined ? [] : [
    { operation: 'DescribeLogStreams', action: 'logs:DescribeLogStreams', resource: arn },
    { operation: 'FilterLogEvents', action: 'logs:FilterLogEvents', resource: arn },
    { operation: 'GetLogEvents', action: 'logs:GetLogEvents', resource: `${arn}:log-stream:any` },
  ];
}

/** The same calls on what is next to the things they are for, and what nobody needs who launches. */
function neighbours(input: any, checks: Check[], inputs: any[]): Check[] {
  const others = inputs.filter((other) => other.imageIdentifier !== input.imageIdentifier).map((other) => other.imageIdentifier);
  const own = (name: string) => checks.filter(({ action }) => action === name).map(({ resource }) => resource);
  const onImages = ['RunMicrovm', 'GetMicrovm', 'SuspendMicrovm', 'ResumeMicrovm', 'TerminateMicrovm', 'CreateMicrovmAuthToken', 'CreateMicrovmShellAuthToken']
    .flatMap((name) => [`${input.imageIdentifier}2`, input.imageIdentifier.replace(REGION, 'eu-west-1'), ...others]
      .map((resource) => ({ operation: name, action: `lambda:${name}`, resource })));
  const ofTheImage = ['UpdateMicrovmImage', 'UpdateMicrovmImageVersion', 'DeleteMicrovmImage', 'DeleteMicrovmImageVersion', 'TagResource', 'GetMicrovmImage']
    .map((name) => ({ operation: name, action: `lambda:${name}`, resource: input.imageIdentifier }));
  const connectors = [
    ...['HTTP_INGRESS', 'ALL_INGRESS', 'SHELL_INGRESS', 'NO_INGRESS', 'INTERNET_EGRESS'].map((name) => MANAGED + name),
    `arn:aws:lambda:${REGION}:${ACCOUNT}:network-connector:nc-neighbour`,
    ...own('lambda:PassNetworkConnector').map((arn) => arn.replace(REGION, 'eu-west-1')),
    ...inputs.flatMap((other) => [...other.ingressNetworkConnectors, ...other.egressNetworkConnectors ?? []]),
  ].filter((arn) => !own('lambda:PassNetworkConnector').includes(arn));
  const roles = [
    `arn:aws:iam::${ACCOUNT}:role/Admin`, ...own('iam:PassRole').map((arn) => `${arn}2`), ...inputs.map(({ executionRoleArn }) => executionRoleArn),
  ].filter((arn) => arn !== undefined && !own('iam:PassRole').includes(arn));
  const groups = [
    '/neighbour', `${input.logging?.cloudWatch?.logGroup}2`, ...inputs.map((other) => other.logging?.cloudWatch?.logGroup),
  ].filter((group) => group !== undefined && group !== input.logging?.cloudWatch?.logGroup);
  return [
    ...onImages,
    ...ofTheImage,
    ...connectors.map((resource) => ({ operation: 'RunMicrovm', action: 'lambda:PassNetworkConnector', resource })),
    ...roles.map((resource) => ({ operation: 'RunMicrovm', action: 'iam:PassRole', resource })),
    ...groups.flatMap(logReads),
    ...logReads(input.logging?.cloudWatch?.logGroup).slice(0, 1).map(({ resource }) => ({ operation: 'DeleteLogGroup', action: 'logs:DeleteLogGroup', resource })),
  ];
}

async function decide(policies: PolicyDocument[], checks: Check[]): Promise<Check[]> {
  const decisions = await Promise.all(checks.map(({ action, resource }) => isAllowed(policies, action, resource)));
  return checks.filter((_check, index) => decisions[index]);
}

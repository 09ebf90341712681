import { Duration, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { ACCOUNT, REGION } from './deployed-template';
import {
  ExecutionRole, MicrovmConnector, MicrovmHooks, MicrovmImage, MicrovmLaunchProfile, MicrovmLaunchProfileProps, MicrovmMemory,
} from '../../src';
import { bareImageIn, imageIn } from '../constructs/fixtures';

/** An image of another team, which is not part of the stack. */
export const GOLDEN_IMAGE = 'golden';

/** A way to launch MicroVMs, with all that belongs to it. */
export interface LaunchSetUp {
  readonly name: string;
  profiles(stack: Stack): MicrovmLaunchProfile[];
}

const { HTTP_INGRESS, ALL_INGRESS, SHELL_INGRESS, NO_INGRESS, INTERNET_EGRESS } = MicrovmConnector;

const RUN_HOOK = MicrovmHooks.onPort(9000, { ready: Duration.minutes(2), run: Duration.seconds(10) });

const SESSION = { maxIdleDuration: Duration.minutes(15), suspendedDuration: Duration.hours(1), autoResume: true };
const WORKSHOP = { maxIdleDuration: Duration.minutes(15), suspendedDuration: Duration.minutes(5), autoResume: true };
const NO_SECOND_LIFE = { maxIdleDuration: Duration.minutes(10), suspendedDuration: Duration.seconds(0), autoResume: false };
const ONE_SHOT = { maxIdleDuration: Duration.minutes(1), suspendedDuration: Duration.seconds(30), autoResume: false };
const ALL_DAY = { maxIdleDuration: Duration.minutes(30), suspendedDuration: Duration.hours(8), autoResume: true };

const EIGHT_HOURS = Duration.hours(8);

function ownImage(stack: Stack, id = 'Image', memory = MicrovmMemory.MIB_2048): MicrovmImage {
  return imageIn(stack, { hooks: RUN_HOOK, memory }, id);
}

function goldenImage(stack: Stack) {
  const imageArn = `arn:aws:lambda:${REGION}:${ACCOUNT}:microvm-image:${GOLDEN_IMAGE}`;
  return MicrovmImage.fromImageAttributes(stack, 'Golden', { imageArn, imageVersion: '1.0' });
}

function logGroup(stack: Stack, id = 'RunLogs') {
  return new logs.LogGroup(stack, id);
}

function vpcConnector(stack: Stack): MicrovmConnector {
  const vpc = ec2.Vpc.fromVpcAttributes(stack, 'Vpc', { vpcId: 'vpc-1', availabilityZones: ['a'], privateSubnetIds: ['subnet-1'] });
  return MicrovmConnector.fromNetworkConnector(new lambda.NetworkConnector(stack, 'Connector', {
    configuration: lambda.NetworkConnectorConfiguration.vpcEgress({
      vpc,
      computeType: lambda.NetworkConnectorComputeType.MICRO_VM,
      securityGroups: [new ec2.SecurityGroup(stack, 'NothingOut', { vpc, allowAllOutbound: false })],
    }),
  }));
}

function role(stack: Stack): ExecutionRole {
  return new ExecutionRole(stack, 'Execution');
}

function one(name: string, props: (stack: Stack) => Partial<MicrovmLaunchProfileProps>): LaunchSetUp {
  return {
    name,
    profiles: (stack) => {
      const given = props(stack);
      return [new MicrovmLaunchProfile(stack, 'Launch', { image: given.image ?? ownImage(stack), ...given })];
    },
  };
}

/** What public samples do with MicroVMs, each expressed as a profile. */
const FROM_SAMPLES: LaunchSetUp[] = [
  one('an image and nothing else', () => ({})),
  one('a code interpreter, one MicroVM for each request', (stack) => ({
    executionRole: role(stack), ingressConnectors: [HTTP_INGRESS], logGroup: logGroup(stack), maximumDuration: Duration.minutes(5),
  })),
  one('a coding agent that sleeps between the messages of a conversation', (stack) => ({
    executionRole: role(stack),
    ingressConnectors: [HTTP_INGRESS],
    idlePolicy: SESSION,
    maximumDuration: EIGHT_HOURS,
    runHookPayload: '{"purpose":"agent"}',
  })),
  one('an agent whose session ends when it is idle', (stack) => ({
    executionRole: role(stack),
    ingressConnectors: [ALL_INGRESS],
    idlePolicy: NO_SECOND_LIFE,
    maximumDuration: Duration.hours(4),
    logGroup: logGroup(stack),
  })),
  one('a preview of a web app, without any credentials', () => ({
    ingressConnectors: [ALL_INGRESS], idlePolicy: SESSION, maximumDuration: EIGHT_HOURS,
  })),
  one('a runner of CI jobs, which calls out and is never called', (stack) => ({
    executionRole: role(stack), ingressConnectors: [NO_INGRESS], maximumDuration: Duration.hours(4), runHookPayload: '{"label":"arm64"}',
  })),
  one('a runner of CI jobs that may look into a private network', (stack) => ({
    executionRole: role(stack), egressConnector: vpcConnector(stack), maximumDuration: Duration.hours(2), logGroup: logGroup(stack),
  })),
  one('a batch job that lives once', (stack) => ({
    executionRole: role(stack),
    egressConnector: vpcConnector(stack),
    idlePolicy: ONE_SHOT,
    maximumDuration: Duration.hours(1),
    runHookPayload: '{"job":"x"}',
  })),
  one('a backend for each tenant, with the tenant\'s cache in a VPC', (stack) => ({
    executionRole: role(stack),
    ingressConnectors: [HTTP_INGRESS],
    egressConnector: vpcConnector(stack),
    idlePolicy: SESSION,
    maximumDuration: EIGHT_HOURS,
  })),
  one('a reviewer of pull requests', (stack) => ({
    executionRole: role(stack), ingressConnectors: [HTTP_INGRESS], egressConnector: INTERNET_EGRESS, idlePolicy: WORKSHOP, logGroup: logGroup(stack),
  })),
  one('a workspace with a file system for each user, web and shell', (stack) => ({
    executionRole: role(stack),
    ingressConnectors: [HTTP_INGRESS, SHELL_INGRESS],
    idlePolicy: { ...ALL_DAY, suspendedDuration: Duration.minutes(10) },
    maximumDuration: EIGHT_HOURS,
    runHookPayload: '{"accessPointId":"fsap-1"}',
  })),
  one('a shell to debug with', (stack) => ({ executionRole: role(stack), ingressConnectors: [SHELL_INGRESS], maximumDuration: Duration.minutes(30) })),
  one('code of strangers: no network, no credentials, no logs', (stack) => ({
    ingressConnectors: [HTTP_INGRESS], egressConnector: vpcConnector(stack), disableLogging: true, maximumDuration: Duration.minutes(1),
  })),
  one('a relay that waits for work all day', (stack) => ({
    executionRole: role(stack), ingressConnectors: [NO_INGRESS], idlePolicy: ALL_DAY, maximumDuration: EIGHT_HOURS, logGroup: logGroup(stack),
  })),
  one('a site served from a MicroVM through a content delivery network', (stack) => ({
    executionRole: role(stack), ingressConnectors: [HTTP_INGRESS], idlePolicy: ALL_DAY,
  })),
  one('a role that was there before', (stack) => ({
    executionRole: iam.Role.fromRoleArn(stack, 'Execution', `arn:aws:iam::${ACCOUNT}:role/team/runtime`),
    ingressConnectors: [HTTP_INGRESS],
    logGroup: logGroup(stack),
  })),
  one('a plain role of the app', (stack) => ({
    executionRole: new iam.Role(stack, 'Execution', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') }), logGroup: logGroup(stack),
  })),
  one('an image of another team', (stack) => ({ image: goldenImage(stack), ingressConnectors: [HTTP_INGRESS], idlePolicy: WORKSHOP })),
  one('an image of another team, kept inside a VPC', (stack) => ({
    image: goldenImage(stack), executionRole: role(stack), egressConnector: vpcConnector(stack), logGroup: logGroup(stack),
  })),
  one('an image that is built behind a VPC connector', (stack) => ({
    image: imageIn(stack, { egressConnector: vpcConnector(stack) }), ingressConnectors: [HTTP_INGRESS],
  })),
  one('an image that CloudFormation itself builds', (stack) => ({
    image: bareImageIn(stack, GOLDEN_IMAGE), imageVersion: '1.0', executionRole: role(stack), ingressConnectors: [HTTP_INGRESS], logGroup: logGroup(stack),
  })),
  one('a version that is pinned by hand', (stack) => ({ image: ownImage(stack), imageVersion: '1.0', ingressConnectors: [HTTP_INGRESS] })),
  {
    name: 'two sizes of one sandbox, each for its own users',
    profiles: (stack) => [MicrovmMemory.MIB_512, MicrovmMemory.MIB_4096].map((memory) => new MicrovmLaunchProfile(stack, `Launch${memory.mebibytes}`, {
      image: ownImage(stack, `Image${memory.mebibytes}`, memory), ingressConnectors: [HTTP_INGRESS], maximumDuration: Duration.hours(1),
    })),
  },
  {
    name: 'a web app and a worker from one image, with a role and a log group each',
    profiles: (stack) => {
      const image = ownImage(stack);
      return [['Web', [HTTP_INGRESS]], ['Worker', [NO_INGRESS]]].map(([id, ingressConnectors]) => new MicrovmLaunchProfile(stack, `Launch${id}`, {
        image,
        executionRole: new ExecutionRole(stack, `Execution${id}`),
        logGroup: logGroup(stack, `RunLogs${id}`),
        ingressConnectors: ingressConnectors as MicrovmConnector[],
      }));
    },
  },
];

const INGRESS: Array<[string, MicrovmConnector[] | undefined]> = [
  ['private', undefined], ['over HTTP', [HTTP_INGRESS]], ['over everything', [ALL_INGRESS]], ['by shell', [SHELL_INGRESS]], ['over HTTP and by shell', [HTTP_INGRESS, SHELL_INGRESS]],
];
const EGRESS: Array<[string, (stack: Stack) => Partial<MicrovmLaunchProfileProps>]> = [
  ['as the image', () => ({})], ['into a VPC', (stack) => ({ egressConnector: vpcConnector(stack) })],
];
const ROLE: Array<[string, (stack: Stack) => Partial<MicrovmLaunchProfileProps>]> = [
  ['without a role', () => ({})],
  ['silent', () => ({ disableLogging: true })],
  ['with a role', (stack) => ({ executionRole: role(stack) })],
  ['with a role and logs', (stack) => ({ executionRole: role(stack), logGroup: logGroup(stack), idlePolicy: SESSION, maximumDuration: EIGHT_HOURS })],
];

/** Every combination of what a MicroVM can be reached by, can reach, and runs as. */
const COMBINED: LaunchSetUp[] = INGRESS.flatMap(([way, ingressConnectors]) => EGRESS.flatMap(([out, egress]) => ROLE.map(([who, identity]) =>
  one(`${way}, out ${out}, ${who}`, (stack) => ({ ingressConnectors, ...egress(stack), ...identity(stack) })))));

export const LAUNCH_SET_UPS: LaunchSetUp[] = [...FROM_SAMPLES, ...COMBINED];

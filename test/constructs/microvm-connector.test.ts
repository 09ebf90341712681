import { Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { imageIn, imageResource, only, stackOf, statements, statementsOf, text } from './fixtures';
import { MicrovmConnector, MicrovmLaunchProfile, NetworkConnectorPolicy } from '../../src';

const MANAGED = 'arn:<AWS::Partition>:lambda:<AWS::Region>:aws:network-connector:aws-network-connector:';

function vpcConnector(stack: Stack, allowAllOutbound = true): lambda.NetworkConnector {
  const vpc = new ec2.Vpc(stack, 'Vpc', { natGateways: 0 });
  return new lambda.NetworkConnector(stack, 'Connector', {
    configuration: lambda.NetworkConnectorConfiguration.vpcEgress({
      vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PUBLIC },
      computeType: lambda.NetworkConnectorComputeType.MICRO_VM,
      securityGroups: [new ec2.SecurityGroup(stack, 'Group', { vpc, allowAllOutbound })],
    }),
  });
}

test.each(['HTTP_INGRESS', 'ALL_INGRESS', 'SHELL_INGRESS', 'NO_INGRESS', 'INTERNET_EGRESS'] as const)('%s is the connector of that name', (name) => {
  const stack = stackOf();
  expect(text(stack.resolve(MicrovmConnector[name].arnIn(stack)))).toBe(MANAGED + name);
});

test('an image uses a VPC connector of its stack, and its handler may pass that one only', () => {
  const stack = stackOf();
  imageIn(stack, { egressConnector: MicrovmConnector.fromNetworkConnector(vpcConnector(stack)) });
  const arn = text(imageResource(stack).Properties.EgressNetworkConnectors[0]);
  expect(arn).toMatch(/^<Connector\w+\.Arn>$/);
  expect(statementsOf(stack, 'LambdaMicrovmImageProviderIsCompleteRole').find(({ actions }) => actions.includes('lambda:PassNetworkConnector'))!.resources)
    .toEqual([arn]);
});

test('a launch uses a VPC connector that lets nothing out, and builds go on reaching the internet', () => {
  const stack = stackOf();
  const egressConnector = MicrovmConnector.fromNetworkConnector(vpcConnector(stack, false));
  const profile = new MicrovmLaunchProfile(stack, 'Launch', { image: imageIn(stack), egressConnector });
  profile.grants.launch(new iam.Role(stack, 'Launcher', { assumedBy: new iam.AccountRootPrincipal() }));

  const { egressNetworkConnectors } = JSON.parse(text(stack.resolve(profile.toJson())));
  expect(egressNetworkConnectors).toEqual([expect.stringMatching(/^<Connector\w+\.Arn>$/)]);
  expect(statementsOf(stack, 'Launcher')[1].resources).toEqual([`${MANAGED}NO_INGRESS`, ...egressNetworkConnectors]);
  expect(imageResource(stack).Properties.EgressNetworkConnectors.map(text)).toEqual([`${MANAGED}INTERNET_EGRESS`]);
  // Without any rule EC2 would allow everything.
  expect(only(stack, 'AWS::EC2::SecurityGroup').Properties.SecurityGroupEgress)
    .toEqual([expect.objectContaining({ CidrIp: '255.255.255.255/32', IpProtocol: 'icmp' })]);
  expect(only(stack, 'AWS::Lambda::NetworkConnector').Properties.Configuration.VpcEgressConfiguration)
    .toMatchObject({ AssociatedComputeResourceTypes: ['MicroVm'], SecurityGroupIds: [{ 'Fn::GetAtt': [expect.stringMatching(/^Group/), 'GroupId'] }] });
});

test('an imported connector is taken as it is', () => {
  const stack = stackOf();
  const arn = 'arn:aws:lambda:us-east-1:123456789012:network-connector:nc-1';
  const connector = lambda.NetworkConnector.fromNetworkConnectorArn(stack, 'Imported', arn);
  expect(MicrovmConnector.fromNetworkConnector(connector).arnIn(stack)).toBe(arn);
});

describe('NetworkConnectorPolicy', () => {
  const document = (stack: Stack) => statements(only(stack, 'AWS::IAM::ManagedPolicy').Properties.PolicyDocument);

  test('lets exactly the listed connectors be passed', () => {
    const stack = stackOf();
    new NetworkConnectorPolicy(stack, 'Policy', {
      connectors: [MicrovmConnector.NO_INGRESS, MicrovmConnector.fromNetworkConnector(vpcConnector(stack))],
    });
    expect(document(stack)).toEqual([{
      actions: ['lambda:PassNetworkConnector'],
      resources: [`${MANAGED}NO_INGRESS`, expect.stringMatching(/^<Connector\w+\.Arn>$/)],
    }]);
  });

  test('lets any connector be passed when told to', () => {
    const stack = stackOf();
    new NetworkConnectorPolicy(stack, 'Policy', { anyConnector: true });
    expect(document(stack)).toEqual([{ actions: ['lambda:PassNetworkConnector'], resources: ['*'] }]);
  });

  test('is attached to roles at once and later', () => {
    const stack = stackOf();
    const roles = ['One', 'Two'].map((id) => new iam.Role(stack, id, { assumedBy: new iam.AccountRootPrincipal() }));
    const policy = new NetworkConnectorPolicy(stack, 'Policy', { connectors: [MicrovmConnector.NO_INGRESS], roles: [roles[0]] });
    policy.attachTo(roles[1]);
    expect(only(stack, 'AWS::IAM::ManagedPolicy').Properties.Roles.map(text)).toEqual([expect.stringMatching(/^<One/), expect.stringMatching(/^<Two/)]);
    expect(policy.managedPolicyRef.policyArn).toBe(policy.managedPolicyArn);
  });
});

import { App, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { bareImageIn, imageIn, resources, stackOf, statements, statementsOf } from './fixtures';
import { ExecutionRole, MicrovmConnector, MicrovmImage, MicrovmImageGrants } from '../../src';

const IMAGE = 'arn:<AWS::Partition>:lambda:<AWS::Region>:<AWS::AccountId>:microvm-image:golden';
const CONNECTOR = 'arn:<AWS::Partition>:lambda:<AWS::Region>:aws:network-connector:aws-network-connector:';

function grantee(stack: Stack) {
  return new iam.Role(stack, 'Grantee', { assumedBy: new iam.AccountRootPrincipal() });
}

function granted(grant: (grants: MicrovmImageGrants, role: iam.Role, stack: Stack) => iam.Grant) {
  const stack = stackOf();
  const image = imageIn(stack, { imageName: 'golden' });
  expect(grant(image.grants, grantee(stack), stack).success).toBe(true);
  return statementsOf(stack, 'Grantee');
}

test('run: launch, and pass what the service attaches to a launch that names no connector', () => {
  expect(granted((grants, role) => grants.run(role))).toEqual([
    { actions: ['lambda:RunMicrovm'], resources: [IMAGE] },
    { actions: ['lambda:PassNetworkConnector'], resources: [`${CONNECTOR}HTTP_INGRESS`, `${CONNECTOR}INTERNET_EGRESS`] },
  ]);
});

test('run: pass exactly the role and the connectors of the launch, without a condition', () => {
  expect(granted((grants, role, stack) => grants.run(role, {
    executionRole: new ExecutionRole(stack, 'Execution'),
    connectors: [MicrovmConnector.NO_INGRESS, MicrovmConnector.fromArn('arn:aws:lambda:us-east-1:123456789012:network-connector:nc-1')],
  }))).toEqual([
    { actions: ['lambda:RunMicrovm'], resources: [IMAGE] },
    { actions: ['lambda:PassNetworkConnector'], resources: [`${CONNECTOR}NO_INGRESS`, 'arn:aws:lambda:us-east-1:123456789012:network-connector:nc-1'] },
    { actions: ['iam:PassRole'], resources: [expect.stringMatching(/^<Execution\w+\.Arn>$/)] },
  ]);
});

test('run: the egress connector of the image is the usual one', () => {
  const stack = stackOf();
  const egressConnector = MicrovmConnector.fromArn('arn:aws:lambda:us-east-1:123456789012:network-connector:nc-1');
  imageIn(stack, { egressConnector }).grants.run(grantee(stack));
  expect(statementsOf(stack, 'Grantee')[1].resources).toEqual([`${CONNECTOR}HTTP_INGRESS`, 'arn:aws:lambda:us-east-1:123456789012:network-connector:nc-1']);
});

test('control and manage: look after MicroVMs; to find them needs all of the account', () => {
  const control = { actions: ['lambda:GetMicrovm', 'lambda:ResumeMicrovm', 'lambda:SuspendMicrovm', 'lambda:TerminateMicrovm'], resources: [IMAGE] };
  expect(granted((grants, role) => grants.control(role))).toEqual([control]);
  expect(granted((grants, role) => grants.manage(role))).toEqual([control, { actions: ['lambda:ListMicrovms'], resources: ['*'] }]);
});

test('observe: look at MicroVMs, touch none', () => {
  expect(granted((grants, role) => grants.observe(role))).toEqual([
    { actions: ['lambda:GetMicrovm'], resources: [IMAGE] },
    { actions: ['lambda:ListMicrovms'], resources: ['*'] },
  ]);
});

describe('publish', () => {
  const READ = [
    'lambda:GetMicrovmImage', 'lambda:GetMicrovmImageBuild', 'lambda:GetMicrovmImageVersion', 'lambda:ListMicrovmImageBuilds',
    'lambda:ListMicrovmImageVersions', 'lambda:ListTags',
  ];
  const BUILD = ['lambda:DeleteMicrovmImageVersion', 'lambda:UpdateMicrovmImage', 'lambda:UpdateMicrovmImageVersion'];

  test('build and look after versions, with the role and the connector of the image, and neither launch nor delete it', () => {
    const stack = stackOf();
    const egressConnector = MicrovmConnector.fromArn('arn:aws:lambda:us-east-1:123456789012:network-connector:nc-1');
    imageIn(stack, { imageName: 'golden', egressConnector }).grants.publish(grantee(stack));
    expect(statementsOf(stack, 'Grantee')).toEqual([
      { actions: READ, resources: [IMAGE] },
      { actions: BUILD, resources: [IMAGE] },
      { actions: ['lambda:PassNetworkConnector'], resources: ['arn:aws:lambda:us-east-1:123456789012:network-connector:nc-1'] },
      { actions: ['iam:PassRole'], resources: [expect.stringMatching(/^<ImageBuildRole\w+\.Arn>$/)] },
    ]);
  });

  test('an image from elsewhere is told its build role and connector', () => {
    const stack = stackOf();
    const arn = 'arn:aws:lambda:us-east-1:123456789012:microvm-image:golden';
    const { grants } = MicrovmImage.fromImageArn(stack, 'Golden', arn);
    grants.publish(grantee(stack), {
      buildRole: iam.Role.fromRoleArn(stack, 'Build', 'arn:aws:iam::123456789012:role/build'),
      egressConnector: MicrovmConnector.fromArn('arn:aws:lambda:us-east-1:123456789012:network-connector:nc-1'),
    });
    const other = new iam.Role(stack, 'Other', { assumedBy: new iam.AccountRootPrincipal() });
    grants.publish(other);
    expect(statementsOf(stack, 'Grantee').slice(2)).toEqual([
      { actions: ['lambda:PassNetworkConnector'], resources: ['arn:aws:lambda:us-east-1:123456789012:network-connector:nc-1'] },
      { actions: ['iam:PassRole'], resources: ['arn:aws:iam::123456789012:role/build'] },
    ]);
    expect(statementsOf(stack, 'Other').slice(2)).toEqual([{ actions: ['lambda:PassNetworkConnector'], resources: [`${CONNECTOR}INTERNET_EGRESS`] }]);
  });
});

test('connect, shell and read: one set of actions each, on the image', () => {
  expect(granted((grants, role) => grants.connect(role))).toEqual([{ actions: ['lambda:CreateMicrovmAuthToken'], resources: [IMAGE] }]);
  expect(granted((grants, role) => grants.shell(role))).toEqual([{ actions: ['lambda:CreateMicrovmShellAuthToken'], resources: [IMAGE] }]);
  expect(granted((grants, role) => grants.read(role))).toEqual([{
    actions: [
      'lambda:GetMicrovmImage', 'lambda:GetMicrovmImageBuild', 'lambda:GetMicrovmImageVersion', 'lambda:ListMicrovmImageBuilds',
      'lambda:ListMicrovmImageVersions', 'lambda:ListTags',
    ],
    resources: [IMAGE],
  }]);
});

describe('grantees', () => {
  test('a user and a function get a policy', () => {
    const stack = stackOf();
    const image = imageIn(stack);
    image.grants.connect(new iam.User(stack, 'User'));
    const attached = Object.entries(resources(stack, 'AWS::IAM::Policy')).find(([id]) => id.startsWith('User'))![1];
    expect(statements(attached.Properties.PolicyDocument)[0].actions).toEqual(['lambda:CreateMicrovmAuthToken']);
  });

  test('an imported role gets a policy, as with every grant of the CDK', () => {
    const stack = stackOf();
    imageIn(stack).grants.connect(iam.Role.fromRoleArn(stack, 'Imported', 'arn:aws:iam::123456789012:role/mine'));
    const attached = Object.entries(resources(stack, 'AWS::IAM::Policy')).find(([id]) => id.startsWith('Imported'))![1];
    expect(attached.Properties.Roles).toEqual(['mine']);
  });

  test('a service principal gets nothing, and the grant says so', () => {
    const stack = stackOf();
    const grant = imageIn(stack).grants.run(new iam.ServicePrincipal('states.amazonaws.com'));
    expect(grant.success).toBe(false);
    expect(() => grant.assertSuccess()).toThrow(/could not be added/);
  });

  test('a role of another stack needs no reference to the stack of the image', () => {
    const app = new App();
    const [images, users] = [new Stack(app, 'Images'), new Stack(app, 'Users')];
    imageIn(images, { imageName: 'golden' }).grants.connect(grantee(users));
    expect(statementsOf(users, 'Grantee')).toEqual([{ actions: ['lambda:CreateMicrovmAuthToken'], resources: [IMAGE] }]);
    expect(users.dependencies).toEqual([]);
  });
});

describe('images from elsewhere', () => {
  test('an imported one is granted by its ARN', () => {
    const stack = stackOf();
    const arn = 'arn:aws:lambda:us-east-1:123456789012:microvm-image:golden';
    MicrovmImage.fromImageArn(stack, 'Golden', arn).grants.run(grantee(stack));
    expect(statementsOf(stack, 'Grantee')).toEqual([
      { actions: ['lambda:RunMicrovm'], resources: [arn] },
      { actions: ['lambda:PassNetworkConnector'], resources: [`${CONNECTOR}HTTP_INGRESS`, `${CONNECTOR}INTERNET_EGRESS`] },
    ]);
  });

  test('a bare CfnMicrovmImage is granted by its reference', () => {
    const stack = stackOf();
    const bare = bareImageIn(stack);
    MicrovmImageGrants.fromImage(bare).connect(grantee(stack));
    expect(statementsOf(stack, 'Grantee')).toEqual([{ actions: ['lambda:CreateMicrovmAuthToken'], resources: [expect.stringMatching(/^<Bare(\.ImageArn)?>$/)] }]);
  });

  test('the facade gives the same on our own image as its own grants', () => {
    const stack = stackOf();
    const image = imageIn(stack);
    const [one, two] = ['One', 'Two'].map((id) => new iam.Role(stack, id, { assumedBy: new iam.AccountRootPrincipal() }));
    image.grants.run(one);
    MicrovmImageGrants.fromImage(image).run(two);
    expect(statementsOf(stack, 'Two')).toEqual(statementsOf(stack, 'One'));
  });
});

test('a grant can be ordered before what uses it', () => {
  const stack = stackOf();
  const fn = new lambda.CfnFunction(stack, 'User', { code: { zipFile: 'x' }, role: 'x' });
  imageIn(stack).grants.run(grantee(stack)).applyBefore(fn);
  expect(Object.values(resources(stack, 'AWS::Lambda::Function')).find(({ Properties }) => Properties.Role === 'x')!.DependsOn)
    .toEqual([expect.stringMatching(/^GranteeDefaultPolicy/)]);
});

import { App, Aws, CfnParameter, Environment, NestedStack, Stack, Stage } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { ExecutionRole, MicrovmAssertions, MicrovmConnector, MicrovmLaunchProfile, NetworkConnectorGuardrail } from '../../src';
import { bareImageIn, ENV, imageIn, stackOf } from '../constructs/fixtures';

const RUN = 'lambda:RunMicrovm';
const PASS = 'lambda:PassNetworkConnector';

const people = () => new iam.AccountRootPrincipal();
const roleIn = (scope: Stack, id: string, ...statements: iam.PolicyStatementProps[]) => {
  const role = new iam.Role(scope, id, { assumedBy: people() });
  statements.forEach((statement) => role.addToPolicy(new iam.PolicyStatement(statement)));
  return role;
};
/** A role as somebody writes it who uses no constructs. */
const handWritten = (scope: Stack, id: string, properties: any) =>
  new iam.CfnRole(scope, id, { assumeRolePolicyDocument: { Version: '2012-10-17', Statement: [] }, ...properties });

function connectorIn(stack: Stack): lambda.NetworkConnector {
  const vpc = new ec2.Vpc(stack, 'Vpc', { natGateways: 0 });
  return new lambda.NetworkConnector(stack, 'Connector', {
    configuration: lambda.NetworkConnectorConfiguration.vpcEgress({
      computeType: lambda.NetworkConnectorComputeType.MICRO_VM,
      vpc,
      vpcSubnets: { subnetType: ec2.SubnetType.PRIVATE_ISOLATED },
      securityGroups: [new ec2.SecurityGroup(stack, 'Group', { vpc })],
    }),
  });
}

/** The message of a failed assertion. */
function failure(assertion: () => void): string {
  try {
    assertion();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the assertion held');
}

describe('what a principal may do', () => {
  test('an image of this library, with grants', () => {
    const stack = stackOf();
    const image = imageIn(stack);
    const launcher = roleIn(stack, 'Launcher');
    const executionRole = new ExecutionRole(stack, 'Execution', { sourceImages: [image] });
    image.grants.run(launcher, { executionRole, connectors: [MicrovmConnector.HTTP_INGRESS, MicrovmConnector.INTERNET_EGRESS] });
    const access = MicrovmAssertions.fromStack(stack);

    expect(access.images).toEqual(['Stack/Image']);
    access.assertAllows(launcher.roleArn, RUN, image.imageArn);
    access.assertAllows(launcher.roleArn, 'iam:PassRole', executionRole.roleArn);
    access.assertDenies(launcher.roleArn, 'lambda:UpdateMicrovmImage', image.imageArn);
    access.assertDenies(launcher.roleArn, RUN, `${image.imageArn}-2`);
    access.assertDenies(executionRole.roleArn, RUN, image.imageArn);
    expect(access.whoMayRun(image.imageArn)).toEqual(['Stack/Launcher']);
    expect(access.connectorsOf(launcher.roleArn)).toEqual(['HTTP_INGRESS', 'INTERNET_EGRESS']);
    expect(access.isIngressPublic(image.imageArn)).toBe(true);
    expect(access.unconfinedTrusts).toEqual([]);
  });

  test('a launch profile is private unless it asks for a way in', () => {
    const stack = stackOf();
    const image = imageIn(stack);
    const launcher = roleIn(stack, 'Launcher');
    new MicrovmLaunchProfile(stack, 'Profile', { image }).grants.launcher(launcher);
    const access = MicrovmAssertions.fromStack(stack);
    access.assertIngressPrivate(image.imageArn);
    access.assertOnlyConnectors(launcher.roleArn, ['NO_INGRESS', 'INTERNET_EGRESS']);
    access.assertOnlyMayRun(image.imageArn, [launcher.roleArn]);
  });

  test('a bare CfnMicrovmImage and roles written by hand', () => {
    const stack = stackOf({ env: ENV });
    bareImageIn(stack);
    handWritten(stack, 'Inline', {
      roleName: 'inline',
      policies: [{ policyName: 'all', policyDocument: { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 'lambda:*', Resource: 'arn:aws:lambda:us-east-1:123456789012:microvm-image:*' } } }],
    });
    handWritten(stack, 'NotAction', {
      policies: [{ policyName: 'rest', policyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', NotAction: 'iam:*', NotResource: 'arn:aws:lambda:*:*:function:*' }] } }],
    });
    handWritten(stack, 'Other', {
      policies: [{ policyName: 'other', policyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: RUN, Resource: 'arn:aws:lambda:us-east-1:999999999999:microvm-image:bare' }] } }],
    });
    const access = MicrovmAssertions.fromStack(stack);
    expect(access.images).toEqual(['Stack/Bare']);
    expect(access.whoMayRun('bare')).toEqual(['Stack/Inline', 'Stack/NotAction']);
    // By logical id, name, ARN and path.
    for (const name of ['Inline', 'inline', 'arn:aws:iam::123456789012:role/inline', 'Stack/Inline']) {
      expect(access.allows(name, RUN, 'Stack/Bare')).toBe(true);
    }
    // Passing connectors needs a statement about connectors: that of Inline is about images.
    expect(access.connectorsOf('Inline')).toEqual([]);
    expect(access.connectorsOf('NotAction')).toEqual(['HTTP_INGRESS', 'ALL_INGRESS', 'SHELL_INGRESS', 'NO_INGRESS', 'INTERNET_EGRESS', '*']);
  });

  test('managed policies, attached from either side, users and groups', () => {
    const stack = stackOf();
    const image = bareImageIn(stack);
    const statements = [new iam.PolicyStatement({ actions: [RUN], resources: [image.ref] })];
    const [one, two, three] = ['One', 'Two', 'Three'].map((id) => roleIn(stack, id));
    new iam.ManagedPolicy(stack, 'ByPolicy', { statements, roles: [one] });
    two.addManagedPolicy(new iam.ManagedPolicy(stack, 'ByRole', { statements }));
    const group = new iam.Group(stack, 'Group');
    group.addManagedPolicy(new iam.ManagedPolicy(stack, 'ByGroup', { statements }));
    const user = new iam.User(stack, 'User', { groups: [group] });
    three.addManagedPolicy(iam.ManagedPolicy.fromAwsManagedPolicyName('service-role/AWSLambdaBasicExecutionRole'));
    roleIn(stack, 'Admin').addManagedPolicy(iam.ManagedPolicy.fromAwsManagedPolicyName('AdministratorAccess'));
    const developer = roleIn(stack, 'Developer');
    developer.addManagedPolicy(iam.ManagedPolicy.fromAwsManagedPolicyName('AWSLambda_FullAccess'));
    const reader = roleIn(stack, 'Reader');
    ['AmazonS3ReadOnlyAccess', 'AmazonEC2ContainerRegistryReadOnly'].forEach((name) => reader.addManagedPolicy(iam.ManagedPolicy.fromAwsManagedPolicyName(name)));

    const access = MicrovmAssertions.fromStack(stack);
    expect(access.whoMayRun(image.ref)).toEqual(['Stack/One', 'Stack/Two', 'Stack/Group', 'Stack/User', 'Stack/Admin', 'Stack/Developer']);
    access.assertAllows(user.userArn, RUN, image.ref);
    access.assertDenies(developer.roleArn, 's3:GetObject', 'arn:aws:s3:::bucket/key');
    access.assertAllows(reader.roleArn, 's3:GetObject', 'arn:aws:s3:::bucket/key');
    access.assertDenies(reader.roleArn, 's3:PutObject', 'arn:aws:s3:::bucket/key');
  });

  test('a permission boundary, a guardrail, and an explicit denial', () => {
    const stack = stackOf();
    const image = bareImageIn(stack);
    const all = [new iam.PolicyStatement({ actions: ['lambda:*'], resources: ['*'] })];
    const guardrail = NetworkConnectorGuardrail.forbid({ publicIngress: true, shellIngress: true }).toPolicyDocument();
    guardrail.addStatements(...all);
    const bounded = roleIn(stack, 'Bounded', { actions: ['lambda:*', 's3:*'], resources: ['*'] });
    iam.PermissionsBoundary.of(bounded).apply(new iam.ManagedPolicy(stack, 'Boundary', { document: guardrail }));
    const refused = roleIn(stack, 'Refused', { actions: ['*'], resources: ['*'] }, { effect: iam.Effect.DENY, actions: ['lambda:Run*'], resources: [image.ref] });
    const access = MicrovmAssertions.fromStack(stack);

    expect(access.connectorsOf(bounded.roleArn)).toEqual(['NO_INGRESS', 'INTERNET_EGRESS', '*']);
    access.assertDenies(bounded.roleArn, 's3:GetObject', 'arn:aws:s3:::bucket/key');
    access.assertAllows(bounded.roleArn, RUN, image.ref);
    access.assertDenies(refused.roleArn, RUN, image.ref);
    access.assertIngressPrivate(image.ref);
    expect(access.explain(bounded.roleArn, 's3:GetObject', 'arn:aws:s3:::bucket/key')).toContain('its permission boundary does not allow it');
  });

  test('a connector of the app goes by its name, one from elsewhere by its ARN', () => {
    const stack = stackOf({ env: ENV });
    const connector = connectorIn(stack);
    const other = 'arn:aws:lambda:us-east-1:123456789012:network-connector:other';
    const role = roleIn(stack, 'Role', { actions: [PASS], resources: [connector.networkConnectorArn, other] });
    const access = MicrovmAssertions.fromStack(stack);
    expect(access.connectorsOf(role.roleArn)).toEqual(['Stack/Connector', other]);
    access.assertAllows(role.roleArn, PASS, 'Stack/Connector');
    expect(failure(() => access.assertOnlyConnectors(role.roleArn, [other]))).toContain('Stack/Role must pass no connector but');
  });
});

describe('what cannot be known', () => {
  function conditional() {
    const stack = stackOf();
    const image = bareImageIn(stack);
    const role = roleIn(stack, 'Role', { actions: [RUN], resources: [image.ref], conditions: { StringEquals: { 'aws:ResourceTag/team': 'blue' } } });
    return { access: MicrovmAssertions.fromStack(stack), image: image.ref, role: role.roleArn };
  }

  test('an answer that depends on a condition is neither yes nor no, and both assertions say on which', () => {
    const { access, image, role } = conditional();
    expect([access.allows(role, RUN, image), access.denies(role, RUN, image)]).toEqual([false, false]);
    expect(failure(() => access.assertAllows(role, RUN, image))).toContain('not known here: the condition key aws:ResourceTag/team');
    expect(failure(() => access.assertDenies(role, RUN, image))).toContain('not known here: the condition key aws:ResourceTag/team');
    expect(access.whoMayRun(image)).toEqual(['Stack/Role']);
  });

  test('the caller can tell the values of condition keys, or that there are none', () => {
    const { access, image, role } = conditional();
    access.withContext({ 'aws:ResourceTag/team': ['blue'] }).assertAllows(role, RUN, image);
    access.withContext({ 'aws:ResourceTag/team': ['red'] }).assertDenies(role, RUN, image);
    access.withContext({ 'aws:ResourceTag/team': [] }).assertDenies(role, RUN, image);
    expect(access.withContext({ 'aws:ResourceTag/team': ['red'] }).whoMayRun(image)).toEqual([]);
  });

  test('what every request carries is known', () => {
    const stack = stackOf({ env: ENV });
    const image = bareImageIn(stack);
    const own = { StringEquals: { 'aws:PrincipalAccount': stack.account, 'aws:ResourceAccount': stack.account, 'aws:RequestedRegion': stack.region }, Bool: { 'aws:SecureTransport': 'true' } };
    const role = roleIn(stack, 'Role', { actions: [RUN], resources: ['*'], conditions: own });
    MicrovmAssertions.fromStack(stack).assertAllows(role.roleArn, RUN, image.ref);
  });

  test('a name that a parameter gives', () => {
    const stack = stackOf();
    const image = bareImageIn(stack);
    const name = new CfnParameter(stack, 'Name').valueAsString;
    const role = roleIn(stack, 'Role', { actions: [RUN], resources: [stack.formatArn({ service: 'lambda', resource: `microvm-image:${name}` })] });
    const access = MicrovmAssertions.fromStack(stack);
    expect(failure(() => access.assertDenies(role.roleArn, RUN, image.ref))).toContain('not known here: Stack-Name');
    // Whatever the name will be, it is no function.
    access.assertDenies(role.roleArn, 'lambda:InvokeFunction', stack.formatArn({ service: 'lambda', resource: 'function:x' }));
  });

  test('a managed policy that is elsewhere, unless its document is given', () => {
    const arn = 'arn:aws:iam::123456789012:policy/Shared';
    const stack = stackOf({ env: ENV });
    const image = bareImageIn(stack);
    const role = roleIn(stack, 'Role');
    role.addManagedPolicy(iam.ManagedPolicy.fromManagedPolicyArn(stack, 'Shared', arn));
    expect(failure(() => MicrovmAssertions.fromStack(stack).assertDenies(role.roleArn, RUN, image.ref))).toContain(`what the policy ${arn} says`);
    const policy = (Action: string) => ({ managedPolicies: { [arn]: JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action, Resource: '*' } }) } });
    MicrovmAssertions.fromStack(stack, policy('s3:*')).assertDenies(role.roleArn, RUN, image.ref);
    MicrovmAssertions.fromStack(stack, policy('lambda:*')).assertAllows(role.roleArn, RUN, image.ref);
  });

  test('of an imported role, what is attached here is seen, and nothing is certain', () => {
    const stack = stackOf({ env: ENV });
    const image = imageIn(stack);
    const imported = iam.Role.fromRoleArn(stack, 'Imported', 'arn:aws:iam::123456789012:role/team/deployer');
    image.grants.run(imported);
    const access = MicrovmAssertions.fromStack(stack);
    expect(access.whoMayRun(image.imageArn)).toEqual(['deployer']);
    expect([access.allows(imported.roleArn, RUN, image.imageArn), access.denies(imported.roleArn, RUN, image.imageArn)]).toEqual([false, false]);
    expect(access.whoMay('lambda:DeleteMicrovmImage', image.imageArn)).not.toContain('deployer');
    expect(failure(() => access.assertDenies(imported.roleArn, 'lambda:DeleteMicrovmImage', image.imageArn))).toContain('of deployer elsewhere');
  });

  test('a condition of the template', () => {
    const document = {
      Parameters: { Stage: { Type: 'String' } },
      Conditions: { IsTest: { 'Fn::Equals': [{ Ref: 'Stage' }, 'test'] } },
      Resources: {
        Role: {
          Type: 'AWS::IAM::Role',
          Properties: {
            AssumeRolePolicyDocument: {},
            Policies: [{
              PolicyName: 'p',
              PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: ['lambda:GetMicrovm', { 'Fn::If': ['IsTest', RUN, { Ref: 'AWS::NoValue' }] }], Resource: '*' }] },
            }],
          },
        },
      },
    };
    const access = MicrovmAssertions.fromTemplate(Template.fromJSON(document));
    const image = 'arn:aws:lambda:us-east-1:123456789012:microvm-image:x';
    access.assertAllows('Role', 'lambda:GetMicrovm', image);
    expect(failure(() => access.assertDenies('Role', RUN, image))).toContain('the conditions of the template');
    expect(access.whoMayRun(image)).toEqual(['Role']);
  });
});

describe('what is read', () => {
  test('a stack, with what it takes from others; and a whole stage', () => {
    const app = new App();
    const images = new Stack(app, 'Images');
    const image = imageIn(images);
    const launchers = new Stack(app, 'Launchers');
    const role = roleIn(launchers, 'Role');
    new MicrovmLaunchProfile(launchers, 'Profile', { image }).grants.launch(role);
    roleIn(images, 'Owner', { actions: ['lambda:*'], resources: [image.imageArn] });
    const other = new Stack(new Stage(app, 'Beta'), 'Images');
    imageIn(other);

    const access = MicrovmAssertions.fromStack(launchers);
    expect([access.images, access.principals]).toEqual([[], ['Launchers/Role']]);
    access.assertAllows(role.roleArn, RUN, image.imageArn);
    expect(access.whoMayRun(image.imageArn)).toEqual(['Launchers/Role']);
    const all = MicrovmAssertions.fromStage(app);
    expect(all.images).toEqual(['Images/Image', 'Beta/Images/Image']);
    expect(all.whoMayRun('Images/Image')).toEqual(['Images/Owner', 'Launchers/Role']);
    expect(MicrovmAssertions.fromStack(other).images).toEqual(['Beta/Images/Image']);
  });

  test('nested stacks', () => {
    const stack = stackOf();
    const nested = new NestedStack(stack, 'Nested');
    const image = bareImageIn(nested);
    const inner = roleIn(nested, 'Inner', { actions: [RUN], resources: [image.ref] });
    roleIn(stack, 'Outer', { actions: [RUN], resources: [image.ref] });
    const access = MicrovmAssertions.fromStack(stack);
    expect(access.images).toEqual(['Stack/Nested/Bare']);
    expect(access.whoMayRun('bare')).toEqual(['Stack/Outer', 'Stack/Nested/Inner']);
    access.assertAllows(inner.roleArn, RUN, 'bare');
    expect(MicrovmAssertions.fromStack(nested).principals).toEqual(['Stack/Nested/Inner']);
  });

  test('a template from elsewhere, of a known account and region', () => {
    const document = {
      Resources: {
        Image: { Type: 'AWS::Lambda::MicrovmImage', Properties: { Name: 'box' } },
        Role: {
          Type: 'AWS::IAM::Role',
          Metadata: { 'aws:cdk:path': 'Shop/Role/Resource' },
          Properties: {
            AssumeRolePolicyDocument: {},
            Policies: [{ PolicyName: 'p', PolicyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: RUN, Resource: 'arn:aws:lambda:eu-west-1:111122223333:microvm-image:box' }] } }],
          },
        },
      },
    };
    const template = Template.fromString(JSON.stringify(document));
    expect(MicrovmAssertions.fromTemplate(template, { account: '111122223333', region: 'eu-west-1' }).allows('Shop/Role', RUN, 'Image')).toBe(true);
    expect(MicrovmAssertions.fromTemplate(template, { account: '444455556666', region: 'eu-west-1' }).denies('Shop/Role', RUN, 'Image')).toBe(true);
    const anywhere = MicrovmAssertions.fromTemplate(template);
    expect([anywhere.allows('Shop/Role', RUN, 'Image'), anywhere.denies('Shop/Role', RUN, 'Image')]).toEqual([false, false]);
  });
});

describe('trusts', () => {
  const MICROVMS = { Service: 'lambda.amazonaws.com' };
  const account = { StringEquals: { 'aws:SourceAccount': ENV.account } };

  test.each<[string, any, string]>([
    ['no condition', { Principal: MICROVMS }, 'lambda.amazonaws.com on behalf of any account'],
    ['another account', { Principal: MICROVMS, Condition: { StringEquals: { 'aws:SourceAccount': '444455556666' } } }, 'on behalf of account 444455556666'],
    ['this account and another', { Principal: MICROVMS, Condition: { StringEquals: { 'aws:SourceAccount': [ENV.account, '444455556666'] } } }, 'on behalf of account 444455556666'],
    ['every account but one', { Principal: MICROVMS, Condition: { StringNotEquals: { 'aws:SourceAccount': '444455556666' } } }, 'on behalf of any account'],
    ['an account pattern', { Principal: MICROVMS, Condition: { StringLike: { 'aws:SourceAccount': '*' } } }, 'on behalf of any account'],
    ['images of any account', { Principal: MICROVMS, Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:lambda:*:*:microvm-image:*' } } }, 'on behalf of any account'],
    ['images of a region, of any account', { Principal: MICROVMS, Condition: { ArnLike: { 'aws:SourceArn': 'arn:aws:lambda:eu-*:*:microvm-image:*' } } }, 'on behalf of any account'],
    ['images of a name, which any account can give', { Principal: MICROVMS, Condition: { StringLike: { 'aws:SourceArn': 'arn:aws:lambda:*:*:microvm-image:prod-*' } } }, 'on behalf of any account'],
    ['a condition that holds without the key', { Principal: MICROVMS, Condition: { StringEqualsIfExists: { 'aws:SourceAccount': ENV.account } } }, 'without saying on whose behalf'],
    ['a condition on something else', { Principal: MICROVMS, Condition: { Bool: { 'aws:SecureTransport': 'true' } } }, 'on behalf of any account'],
    ['anybody, besides', { Principal: { ...MICROVMS, AWS: '*' }, Condition: {} }, 'any account'],
    ['a role of another account, besides', [{ Principal: MICROVMS, Condition: account }, { Principal: { AWS: 'arn:aws:iam::444455556666:root' } }], 'arn:aws:iam::444455556666:root'],
    ['everybody but somebody', { NotPrincipal: { AWS: 'arn:aws:iam::444455556666:root' }, Condition: {} }, 'on behalf of any account'],
  ])('%s is not confined', (_name, statement, stranger) => {
    const access = trusting([statement].flat());
    expect(access.unconfinedTrusts).toEqual(['Stack/Execution']);
    expect(failure(() => access.assertTrustsConfined())).toContain(stranger);
  });

  test.each<[string, any]>([
    ['this account', { Principal: MICROVMS, Condition: account }],
    ['images of this account', { Principal: MICROVMS, Condition: { ArnLike: { 'aws:SourceArn': `arn:aws:lambda:*:${ENV.account}:microvm-image:*` } } }],
    ['the organisation', { Principal: MICROVMS, Condition: { StringEquals: { 'aws:SourceOrgID': 'o-ours' } } }],
    ['a denial of all others', [{ Principal: MICROVMS }, { Effect: 'Deny', Principal: '*', Condition: { StringNotEquals: { 'aws:SourceAccount': ENV.account } } }]],
    ['people of this account, besides', [{ Principal: MICROVMS, Condition: account }, { Principal: { AWS: `arn:aws:iam::${ENV.account}:root` } }]],
  ])('%s is confined', (_name, statement) => {
    const access = trusting([statement].flat());
    expect(access.unconfinedTrusts).toEqual([]);
    access.assertTrustsConfined();
  });

  test.each([
    ['aws', 'eu-west-1'], ['aws-cn', 'cn-north-1'], ['aws-us-gov', 'us-gov-west-1'],
  ])('in partition %s, images of this account are confined and those of any are not', (partition, region) => {
    const images = (owner: string, written = partition) =>
      ({ Principal: MICROVMS, Condition: { ArnLike: { 'aws:SourceArn': `arn:${written}:lambda:${region}:${owner}:microvm-image:*` } } });
    const unconfined = (statement: any) => trusting([statement], { region, account: ENV.account }).unconfinedTrusts;
    expect(unconfined(images(ENV.account))).toEqual([]);
    expect(unconfined(images('*'))).toEqual(['Stack/Execution']);
    expect(unconfined(images('*', Aws.PARTITION))).toEqual(['Stack/Execution']);
    expect(unconfined({ Principal: { ...MICROVMS, AWS: `arn:${Aws.PARTITION}:iam::${ENV.account}:root` }, Condition: account })).toEqual([]);
  });

  test('a partition and a region that only the deployment knows', () => {
    const images = (owner: string) =>
      ({ Principal: MICROVMS, Condition: { ArnLike: { 'aws:SourceArn': `arn:${Aws.PARTITION}:lambda:${Aws.REGION}:${owner}:microvm-image:*` } } });
    expect(trusting([images(Aws.ACCOUNT_ID)], {}).unconfinedTrusts).toEqual([]);
    expect(trusting([images('*')], {}).unconfinedTrusts).toEqual(['Stack/Execution']);
  });

  test('the service by its name in China', () => {
    const service = { Principal: { Service: 'lambda.amazonaws.com.cn' } };
    const env = { region: 'cn-north-1', account: ENV.account };
    expect(trusting([{ ...service, Condition: account }], env).unconfinedTrusts).toEqual([]);
    expect(trusting([service], env).unconfinedTrusts).toEqual(['Stack/Execution']);
  });

  function trusting(statements: any[], env: Environment = ENV): MicrovmAssertions {
    const stack = stackOf({ env });
    handWritten(stack, 'Execution', {
      assumeRolePolicyDocument: { Version: '2012-10-17', Statement: statements.map((statement) => ({ Effect: 'Allow', Action: ['sts:AssumeRole', 'sts:TagSession'], ...statement })) },
    });
    return MicrovmAssertions.fromStack(stack);
  }

  test.each<[string, boolean, string[]]>([
    ['is not counted', false, []],
    ['is counted when somebody may pass it to a MicroVM', true, ['Stack/Function/ServiceRole']],
  ])('the role of a function %s', (_name, isPassed, unconfined) => {
    const stack = stackOf({ env: ENV });
    const image = bareImageIn(stack);
    const { role } = new lambda.Function(stack, 'Function', { code: lambda.Code.fromInline('x'), handler: 'index.handler', runtime: lambda.Runtime.NODEJS_22_X });
    roleIn(stack, 'Launcher', { actions: [RUN], resources: [image.ref] }, ...(isPassed ? [{ actions: ['iam:PassRole'], resources: [role!.roleArn] }] : []));
    expect(MicrovmAssertions.fromStack(stack).unconfinedTrusts).toEqual(unconfined);
  });

  test('the role of a function is counted when a launch names it, whoever launches', () => {
    const stack = stackOf({ env: ENV });
    const image = bareImageIn(stack);
    const { role } = new lambda.Function(stack, 'Function', { code: lambda.Code.fromInline('x'), handler: 'index.handler', runtime: lambda.Runtime.NODEJS_22_X });
    new ssm.StringParameter(stack, 'Launch', { stringValue: stack.toJsonString({ imageIdentifier: image.ref, executionRoleArn: role!.roleArn }) });
    expect(MicrovmAssertions.fromStack(stack).unconfinedTrusts).toEqual(['Stack/Function/ServiceRole']);
  });

  test('the operator role of a connector is not counted, for its trust cannot be confined', () => {
    const stack = stackOf({ env: ENV });
    connectorIn(stack);
    expect(MicrovmAssertions.fromStack(stack).principals).toContain('Stack/Connector/OperatorRole');
    expect(MicrovmAssertions.fromStack(stack).unconfinedTrusts).toEqual([]);
  });

  test('a stack that does not know its account yet', () => {
    const stack = stackOf();
    const image = imageIn(stack);
    new ExecutionRole(stack, 'Execution');
    new ExecutionRole(stack, 'Open', { sourceAccountCondition: false });
    new ExecutionRole(stack, 'ByImage', { sourceAccountCondition: false, sourceImages: [image] });
    expect(MicrovmAssertions.fromStack(stack).unconfinedTrusts).toEqual(['Stack/Open']);
  });
});

describe('a failed assertion names', () => {
  test('the role, the action, the resource and the statement', () => {
    const stack = stackOf({ env: ENV });
    const image = bareImageIn(stack);
    const role = roleIn(stack, 'Role', { sid: 'Everything', actions: ['lambda:*'], resources: ['*'], conditions: { StringLike: { 'aws:RequestedRegion': 'us-*' } } });
    const access = MicrovmAssertions.fromStack(stack);
    expect(failure(() => access.assertDenies(role.roleArn, RUN, image.ref))).toBe([
      'Stack/Role must be denied lambda:RunMicrovm on arn:aws:lambda:us-east-1:123456789012:microvm-image:bare; it is not, or not for certain',
      'Stack/Role is allowed lambda:RunMicrovm on arn:aws:lambda:us-east-1:123456789012:microvm-image:bare',
      '  Allow, statement 1 (Everything) of Stack/Role/DefaultPolicy: Action lambda:*; Resource *; if StringLike aws:RequestedRegion us-*',
    ].join('\n'));
    expect(failure(() => access.assertOnlyMayRun(image.ref, []))).toContain('nobody must be allowed lambda:RunMicrovm; Stack/Role may be');
    const ingress = failure(() => access.assertIngressPrivate(image.ref));
    expect(ingress).toContain('MicroVMs of Stack/Bare must not be reachable from the internet; Stack/Role may launch such');
    expect(ingress).toContain('aws-network-connector:HTTP_INGRESS');
  });

  test.each<[string, (access: MicrovmAssertions) => unknown, string]>([
    ['a role nobody knows', (access) => access.allows('Nobody', RUN, 'bare'), "got 'Nobody'; policies of one from elsewhere cannot be seen. There are: Stack/Role"],
    ['an image nobody knows', (access) => access.allows('Stack/Role', RUN, 'nothing'), "got 'nothing'. Images are: Stack/Bare"],
    ['several actions', (access) => access.allows('Stack/Role', 'lambda:*', 'bare'), "action must be one action such as 'lambda:RunMicrovm', got 'lambda:*'"],
    ['several resources', (access) => access.allows('Stack/Role', RUN, '*'), "resource must be one resource for lambda:RunMicrovm, got '*'"],
    ['a pattern', (access) => access.allows('Stack/Role', RUN, 'arn:aws:lambda:us-east-1:123456789012:microvm-image:*'), 'without wildcards'],
    ['a resource for an action without', (access) => access.whoMay('lambda:ListMicrovms', 'bare'), "resource must be '*' for lambda:ListMicrovms"],
  ])('%s', (_name, question, message) => {
    const stack = stackOf({ env: ENV });
    bareImageIn(stack);
    roleIn(stack, 'Role', { actions: ['lambda:*'], resources: ['*'] });
    expect(failure(() => question(MicrovmAssertions.fromStack(stack)))).toContain(message);
  });
});

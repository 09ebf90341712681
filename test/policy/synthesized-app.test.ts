import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { App, CfnStack, NestedStack, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { literalText } from '../../src/policy/private/intrinsic-functions';
import { Identities, readStatements } from '../../src/policy/private/policy-documents';
import { SynthesizedApp } from '../../src/policy/private/synthesized-app';
import { SynthesizedTemplate, TemplateDocument } from '../../src/policy/private/synthesized-template';

const PLACE = { account: '111122223333', region: 'eu-west-1' };

function template(document: TemplateDocument, source: Partial<typeof PLACE> = PLACE, holds = true, butFor?: string): SynthesizedTemplate {
  return new SynthesizedTemplate({ name: 'Shop', template: document, ...source }, { holds, butFor });
}

const ROLE = { Role: { Type: 'AWS::IAM::Role', Properties: { Path: '/team/' } } };

describe('intrinsic functions', () => {
  test.each<[string, unknown]>([
    ['GetAtt as a list', { 'Fn::GetAtt': ['Role', 'Arn'] }],
    ['GetAtt as text', { 'Fn::GetAtt': 'Role.Arn' }],
    ['Sub of the attribute', { 'Fn::Sub': '${Role.Arn}' }],
    ['Sub of the name', { 'Fn::Sub': 'arn:${AWS::Partition}:iam::${AWS::AccountId}:role/team/${Role}' }],
    ['Sub with variables', { 'Fn::Sub': ['arn:aws:iam::${Who}:role/team/${Name}', { Who: { Ref: 'AWS::AccountId' }, Name: { Ref: 'Role' } }] }],
    ['Join', { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':iam::', { Ref: 'AWS::AccountId' }, ':role/team/', { Ref: 'Role' }]] }],
    ['literals around a reference', { 'Fn::Join': ['/', ['arn:aws:iam::111122223333:role/team', { Ref: 'Role' }]] }],
    ['Select and Split', { 'Fn::Select': [1, { 'Fn::Split': ['|', { 'Fn::Join': ['|', ['x', { 'Fn::GetAtt': ['Role', 'Arn'] }]] }] }] }],
    ['If', { 'Fn::If': ['Always', { 'Fn::GetAtt': ['Role', 'Arn'] }, 'other'] }],
    ['FindInMap', { 'Fn::Join': ['', [{ 'Fn::FindInMap': ['Roles', 'eu-west-1', 'Prefix'] }, { Ref: 'Role' }]] }],
  ])('%s gives the same ARN as any other way of writing it', (_name, value) => {
    const read = template({
      Resources: ROLE,
      Mappings: { Roles: { 'eu-west-1': { Prefix: 'arn:aws:iam::111122223333:role/team/' } } },
      Conditions: { Always: { 'Fn::Equals': ['a', 'a'] } },
    });
    expect(read.resolve(value)).toBe('arn:aws:iam::111122223333:role/team/Shop-Role');
  });

  test('what is not known where the stack will be is the same placeholder everywhere', () => {
    const read = template({ Resources: ROLE }, {});
    expect(read.resolve({ 'Fn::Sub': '${AWS::AccountId}/${AWS::Region}' })).toBe(`${read.place.account}/${read.place.region}`);
    expect(read.resource('Role')!.arn).toContain(read.place.account);
  });

  test.each([['cn-north-1', 'aws-cn'], ['us-gov-west-1', 'aws-us-gov'], ['eu-west-1', 'aws']])('a stack in %s is in the partition %s', (region, partition) => {
    expect(template({ Resources: ROLE }, { region }).resolve({ Ref: 'AWS::Partition' })).toBe(partition);
  });

  test('an ARN is split at its colons though parts of it are not known', () => {
    const parts = template({ Resources: ROLE }, {}).resolve({ 'Fn::Split': [':', { 'Fn::GetAtt': ['Role', 'Arn'] }] });
    expect(parts).toHaveLength(6);
  });

  test('a parameter has its default, but that of an SSM parameter type is only a name', () => {
    const read = template({
      Parameters: {
        Version: { Type: 'String', Default: '3.0' },
        Names: { Type: 'CommaDelimitedList', Default: 'a, b' },
        Bare: { Type: 'String' },
        Stored: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/path' },
      },
    });
    expect(read.resolve([{ Ref: 'Version' }, { Ref: 'Names' }])).toEqual(['3.0', ['a', 'b']]);
    expect(read.resolve([{ Ref: 'Bare' }, { Ref: 'Stored' }])).toEqual(['${Shop-Bare}', '${Shop-Stored}']);
  });

  test('what AWS::NoValue stands for is not there', () => {
    expect(template({}).resolve({ A: { Ref: 'AWS::NoValue' }, B: [1, { Ref: 'AWS::NoValue' }] })).toEqual({ B: [1] });
  });

  test('conditions that a deployment decides hold, or do not, as assumed; their opposites the other way round', () => {
    const document = {
      Parameters: { Stage: { Type: 'String', Default: 'dev' } },
      Conditions: { Prod: { 'Fn::Equals': [{ Ref: 'Stage' }, 'prod'] }, Dev: { 'Fn::Not': [{ Condition: 'Prod' }] } },
      Resources: { OnlyProd: { Type: 'AWS::SNS::Topic', Condition: 'Prod' }, OnlyDev: { Type: 'AWS::SNS::Topic', Condition: 'Dev' } },
    };
    expect(SynthesizedTemplate.variants(document)).toEqual([{ holds: true }, { holds: false }]);
    expect(template(document, PLACE, true).resources.map(({ logicalId }) => logicalId)).toEqual(['OnlyProd']);
    expect(template(document, PLACE, false).resources.map(({ logicalId }) => logicalId)).toEqual(['OnlyDev']);
  });

  test('of several conditions each is also assumed to hold alone, as that for one stage does', () => {
    const on = (stage: string) => ({ 'Fn::Equals': [{ Ref: 'Stage' }, stage] });
    const document = {
      Parameters: { Stage: { Type: 'String' } },
      Conditions: { CDKMetadataAvailable: on('x'), Prod: on('prod'), Dev: on('dev'), Either: { 'Fn::Or': [{ Condition: 'Prod' }, { Condition: 'Dev' }] } },
    };
    const seen = SynthesizedTemplate.variants(document).map(({ holds, butFor }) => template(document, PLACE, holds, butFor)
      .resolve(['Prod', 'Dev', 'Either'].map((condition) => ({ 'Fn::If': [condition, 1, 0] }))));
    expect(seen).toEqual([[1, 1, 1], [0, 0, 0], [1, 0, 1], [0, 1, 1]]);
  });

  test('a template with a hundred conditions is read a bounded number of times', () => {
    const conditions = Object.fromEntries([...Array(100).keys()].map((index) => [`Flag${index}`, { 'Fn::Equals': [{ Ref: `P${index}` }, 'on'] }]));
    expect(SynthesizedTemplate.variants({ Conditions: conditions })).toHaveLength(18);
  });

  test('a mapping has a default for keys it lacks', () => {
    const read = template({ Mappings: { Sizes: { 'eu-west-1': { Memory: 512 } } } });
    const memoryIn = (region: string) => read.resolve({ 'Fn::FindInMap': ['Sizes', region, 'Memory', { DefaultValue: 1024 }] });
    expect([memoryIn('eu-west-1'), memoryIn('us-east-1')]).toEqual([512, 1024]);
  });

  test('names that depend on each other end in a placeholder, not in an endless loop', () => {
    const read = template({
      Resources: {
        A: { Type: 'AWS::S3::Bucket', Properties: { BucketName: { 'Fn::Sub': '${B}-x' } } },
        B: { Type: 'AWS::S3::Bucket', Properties: { BucketName: { 'Fn::Sub': '${A}-x' } } },
      },
    });
    expect(read.resource('A')!.arn).toContain('Shop-');
  });
});

describe('text written out', () => {
  test.each<[string, unknown, string[]]>([
    ['text', 'abc', ['abc']],
    ['a reference has none', { Ref: 'Secret' }, []],
    ['around the variables of Sub', { 'Fn::Sub': 'key=${Secret}!' }, ['key=', '!']],
    ['the parts of a Join, neighbours as one', { 'Fn::Join': ['', ['ab', 'cd', { Ref: 'X' }, 'ef']] }, ['abcd', 'ef']],
    ['both branches of If', { 'Fn::If': ['C', 'yes', 'no'] }, ['yes', 'no']],
  ])('%s', (_name, value, expected) => {
    expect(literalText(value).filter((text) => text !== '')).toEqual(expected);
  });
});

describe('stacks of an app', () => {
  test('a value that one stack exports is what the other imports', () => {
    const app = new SynthesizedApp([
      { name: 'A', ...PLACE, template: { Resources: ROLE, Outputs: { Out: { Value: { 'Fn::GetAtt': ['Role', 'Arn'] }, Export: { Name: 'A:Role' } } } } },
      { name: 'B', ...PLACE, template: { Resources: { Fn: { Type: 'AWS::Lambda::Function', Properties: { Role: { 'Fn::ImportValue': 'A:Role' } } } } } },
    ]);
    const [fn] = app.ofType('AWS::Lambda::Function');
    expect(app.resourceWithArn(fn.properties.Role)?.logicalId).toBe('Role');
  });

  test('a nested template in YAML is left out, and the rest is read', () => {
    const outdir = fs.mkdtempSync(path.join(os.tmpdir(), 'nested-'));
    const yaml = path.join(outdir, 'nested.yaml');
    fs.writeFileSync(yaml, 'Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n');
    const cdk = new App({ outdir: path.join(outdir, 'cdk.out') });
    const parent = new Stack(cdk, 'Parent');
    new CfnStack(parent, 'Nested', { templateUrl: new Asset(parent, 'Template', { path: yaml }).httpUrl });
    new iam.Role(parent, 'Role', { assumedBy: new iam.AnyPrincipal() });
    const [app] = SynthesizedApp.read([{ name: 'Parent', templatePath: cdk.synth().getStackByName('Parent').templateFullPath }]);
    expect(app.templates).toHaveLength(2);
    expect(app.resources.map(({ type }) => type)).toEqual(expect.arrayContaining(['AWS::CloudFormation::Stack', 'AWS::IAM::Role']));
  });

  test('nested stacks are read, with what they are given and what they give', () => {
    const outdir = fs.mkdtempSync(path.join(os.tmpdir(), 'nested-'));
    const cdk = new App({ outdir });
    const parent = new Stack(cdk, 'Parent');
    const outer = new iam.Role(parent, 'Outer', { assumedBy: new iam.AnyPrincipal() });
    const nested = new NestedStack(parent, 'Nested');
    const inner = new iam.Role(nested, 'Inner', { assumedBy: new iam.ArnPrincipal(outer.roleArn) });
    new iam.Role(parent, 'Last', { assumedBy: new iam.ArnPrincipal(inner.roleArn) });
    const assembly = cdk.synth();
    const [app] = SynthesizedApp.read([{ name: 'Parent', templatePath: assembly.getStackByName('Parent').templateFullPath }]);
    const identities = new Identities(app);
    const trusted = (id: string) => identities.all.find(({ resource }) => resource.logicalId.startsWith(id))!.trust[0].principals![0].value;
    expect(identities.withArn(trusted('Inner'))?.resource.logicalId).toMatch(/^Outer/);
    expect(identities.withArn(trusted('Last'))?.resource.logicalId).toMatch(/^Inner/);
  });
});

describe('policies', () => {
  const document = (action: string) => ({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: action, Resource: '*' } });

  test('all ways to give a role permissions are read', () => {
    const app = new SynthesizedApp([{
      name: 'Shop',
      template: {
        Resources: {
          Role: {
            Type: 'AWS::IAM::Role',
            Properties: {
              AssumeRolePolicyDocument: { Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }] },
              Policies: [{ PolicyName: 'inline', PolicyDocument: document('a:Inline') }],
              ManagedPolicyArns: [{ Ref: 'Named' }, 'arn:aws:iam::aws:policy/AdministratorAccess'],
              PermissionsBoundary: 'arn:aws:iam::aws:policy/PowerUserAccess',
            },
          },
          Attached: { Type: 'AWS::IAM::Policy', Properties: { PolicyName: 'p', Roles: [{ Ref: 'Role' }], PolicyDocument: document('a:Attached') } },
          Managed: { Type: 'AWS::IAM::ManagedPolicy', Properties: { Roles: [{ Ref: 'Role' }], PolicyDocument: document('a:Managed') } },
          Named: { Type: 'AWS::IAM::ManagedPolicy', Properties: { PolicyDocument: document('a:Named') } },
          Own: { Type: 'AWS::IAM::RolePolicy', Properties: { RoleName: { Ref: 'Role' }, PolicyName: 'p', PolicyDocument: document('a:Own') } },
          Other: { Type: 'AWS::IAM::Policy', Properties: { PolicyName: 'p', Roles: ['somebody-else'], PolicyDocument: document('a:Other') } },
        },
      },
    }]);
    const [role] = new Identities(app).all;
    expect(role.policies.flatMap(({ statements }) => statements.flatMap(({ actions }) => actions)).sort())
      .toEqual(['a:Attached', 'a:Inline', 'a:Managed', 'a:Named', 'a:Own']);
    expect(role.otherPolicyArns).toEqual(['arn:aws:iam::aws:policy/AdministratorAccess']);
    expect(role.boundaryArn).toBe('arn:aws:iam::aws:policy/PowerUserAccess');
    expect(role.trust[0].principals).toEqual([{ type: 'Service', value: 'lambda.amazonaws.com' }]);
  });

  test('single values and lists are read alike, and JSON text too', () => {
    const read = readStatements(JSON.stringify({
      Statement: { Effect: 'Deny', NotAction: 's3:*', NotResource: ['a', 'b'], Principal: '*', Condition: { StringLike: { 'aws:SourceAccount': 1 } } },
    }));
    expect(read).toEqual([expect.objectContaining({
      effect: 'Deny',
      notActions: ['s3:*'],
      notResources: ['a', 'b'],
      principals: [{ type: 'AWS', value: '*' }],
      conditions: [{ operator: 'StringLike', key: 'aws:SourceAccount', values: ['1'] }],
    })]);
    expect(read[0].actions).toBeUndefined();
  });
});

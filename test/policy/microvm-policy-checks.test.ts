import { writeFileSync, mkdtempSync } from 'fs';
import { tmpdir } from 'os';
import { join } from 'path';
import { App, Duration, NestedStack, Stack, Stage, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { findingsIn, reportOn } from './findings';
import { goodTemplate } from './good-template';
import { SandboxStack } from '../../examples/sandbox/sandbox-stack';
import {
  ExecutionRole, IMicrovmPolicyRule, MicrovmBaseImage, MicrovmBuildRole, MicrovmCode, MicrovmConnector, MicrovmHooks, MicrovmImage,
  MicrovmImageEngine, MicrovmImageProps, MicrovmLaunchProfile, MicrovmLogging, MicrovmMemory, MicrovmOsCapability, MicrovmPolicyChecks,
  MicrovmPolicyChecksProps, MicrovmPolicyFinding, MicrovmPolicySeverity, IMicrovmPolicySubjects, NetworkConnectorPolicy,
} from '../../src';

const CODE = MicrovmCode.fromInline({ dockerfile: 'FROM public.ecr.aws/amazonlinux/amazonlinux:2023\nCMD ["true"]' });

function image(stack: Stack, props: Partial<MicrovmImageProps> = {}): MicrovmImage {
  return new MicrovmImage(stack, 'Image', { code: CODE, ...props });
}

function launcher(stack: Stack): lambda.Function {
  return new lambda.Function(stack, 'Launcher', { runtime: lambda.Runtime.NODEJS_22_X, handler: 'index.handler', code: lambda.Code.fromInline('x') });
}

/** What a user sees when a synth fails; empty when it does not. */
function failureOf(app: App): string {
  const printed: string[] = [];
  const spy = jest.spyOn(console, 'error').mockImplementation((...args) => void printed.push(args.map(String).join(' ')));
  try {
    app.synth();
    return '';
  } catch (error) {
    return [...printed, (error as Error).message].join('\n');
  } finally {
    spy.mockRestore();
  }
}

describe("this library's constructs", () => {
  test('nothing is found in an image and a launch with the defaults', () => {
    expect(findingsIn((stack) => {
      const built = image(stack);
      const executionRole = new ExecutionRole(stack, 'ExecutionRole', { logGroup: built.logGroup! });
      const profile = new MicrovmLaunchProfile(stack, 'Launch', { image: built, executionRole });
      const fn = launcher(stack);
      profile.addToFunction(fn);
      profile.grants.connect(fn);
      profile.grants.manage(fn);
      profile.toSsmParameter();
      new NetworkConnectorPolicy(stack, 'Connectors', { connectors: [MicrovmConnector.NO_INGRESS] });
    })).toEqual([]);
  });

  test('nothing is found in the sandbox example but what it acknowledges', () => {
    const app = new App();
    new SandboxStack(app, 'Sandbox');
    Validations.of(app).addPlugins(new MicrovmPolicyChecks());
    expect(failureOf(app)).toBe('');
    expect(reportOn(app).violations.map(({ ruleName }) => ruleName)).toEqual(expect.arrayContaining(['public-ingress']));
  }, 60_000);

  test('nothing is found in an image that has everything it should, whatever is asked for', () => {
    expect(findingsIn((stack) => {
      const operatorRole = new iam.Role(stack, 'Operator', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
      const connector = new lambda.CfnNetworkConnector(stack, 'Connector', {
        operatorRole: operatorRole.roleArn,
        configuration: { vpcEgressConfiguration: { associatedComputeResourceTypes: ['MicroVm'], subnetIds: ['subnet-1'], securityGroupIds: ['sg-1'], networkProtocol: 'IPv4' } },
      });
      for (const [id, engine] of Object.entries({ Custom: MicrovmImageEngine.custom(), Native: MicrovmImageEngine.cloudFormation() })) {
        new MicrovmImage(stack, id, {
          code: CODE,
          engine,
          baseImage: MicrovmBaseImage.AL2023_1.pinned('1'),
          egressConnector: MicrovmConnector.fromNetworkConnector(connector),
          hooks: MicrovmHooks.onPort(9000, { ready: Duration.minutes(1), validate: Duration.minutes(1) }),
          tags: { team: 'shop' },
        });
      }
    }, { strict: true, failOnWarnings: true, requiredTags: ['team'], maximumMemoryMiB: 2048, allowedBaseImages: ['al2023-1'] })).toEqual([]);
  });

  test.each<[string, (stack: Stack) => void, MicrovmPolicyChecksProps]>([
    ['role-trust', (stack) => image(stack, { buildRole: new MicrovmBuildRole(stack, 'Role', { sourceAccountCondition: false }) }), {}],
    ['role-trust', (stack) => image(stack, { buildRole: new iam.Role(stack, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') }) }), {}],
    ['shared-role', (stack) => {
      const built = image(stack);
      new MicrovmLaunchProfile(stack, 'Launch', { image: built, executionRole: iam.Role.fromRoleArn(stack, 'Again', built.buildRoleArn) }).toSsmParameter();
    }, {}],
    ['artifact-read', (stack) => new s3.Bucket(stack, 'Bucket').grantRead(image(stack).buildRole as unknown as iam.IGrantable), {}],
    ['wildcard-run', (stack) => launcher(stack).addToRolePolicy(new iam.PolicyStatement({ actions: ['lambda:RunMicrovm'], resources: ['*'] })), {}],
    ['wildcard-pass-connector', (stack) => new NetworkConnectorPolicy(stack, 'Connectors', { anyConnector: true }), {}],
    ['os-capabilities', (stack) => image(stack, { additionalOsCapabilities: [MicrovmOsCapability.ALL] }), {}],
    ['log-group', (stack) => image(stack, { logging: MicrovmLogging.disabled() }), {}],
    ['log-group', (stack) => image(stack, { logGroup: logs.LogGroup.fromLogGroupName(stack, 'Logs', '/shared') }), {}],
    ['log-group', (stack) => image(stack, { logGroup: new logs.LogGroup(stack, 'Logs', { retention: logs.RetentionDays.INFINITE }) }), {}],
    ['content-addressed-artifact', (stack) => image(stack, { code: MicrovmCode.fromBucket(s3.Bucket.fromBucketName(stack, 'Bucket', 'artifacts'), 'app.zip') }), {}],
    ['public-ingress', (stack) => new MicrovmLaunchProfile(stack, 'Launch', { image: image(stack), ingressConnectors: [MicrovmConnector.HTTP_INGRESS] }).toSsmParameter(), {}],
    ['shell-ingress', (stack) => new MicrovmLaunchProfile(stack, 'Launch', { image: image(stack), ingressConnectors: [MicrovmConnector.SHELL_INGRESS] }).toSsmParameter(), {}],
    ['shell-ingress', (stack) => {
      const profile = new MicrovmLaunchProfile(stack, 'Launch', { image: image(stack), ingressConnectors: [MicrovmConnector.SHELL_INGRESS] });
      new sfn.StateMachine(stack, 'Machine', {
        definitionBody: sfn.DefinitionBody.fromChainable(new tasks.CallAwsService(stack, 'Run', {
          service: 'lambdamicrovms', action: 'runMicrovm', parameters: profile.toStepFunctionsParameters(), iamResources: ['arn:aws:x'],
        })),
      });
    }, {}],
    ['internet-egress', (stack) => image(stack), { allowInternetEgress: false }],
    ['build-hooks', (stack) => image(stack), { requireBuildHooks: true }],
    ['pinned-base-image', (stack) => image(stack), { requirePinnedBaseImage: true }],
    ['old-base-image', (stack) => image(stack, { baseImage: MicrovmBaseImage.AL2023_1.pinned('0') }), {}],
    ['maximum-memory', (stack) => image(stack, { memory: MicrovmMemory.MIB_8192 }), { maximumMemoryMiB: 4096 }],
    ['required-tags', (stack) => image(stack), { requiredTags: ['team'] }],
    ['environment-secret', (stack) => image(stack, { environment: { API_TOKEN: 'abcdef' } }), {}],
  ])('%s is found', (rule, define, props) => {
    expect(findingsIn(define, props)).toEqual([rule]);
  });
});

test('bare resources are checked in a CDK app as they are in a template', () => {
  expect(findingsIn((stack) => {
    const role = new iam.Role(stack, 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com').withSessionTags() });
    new lambda.CfnMicrovmImage(stack, 'Bare', {
      name: 'bare',
      description: '',
      baseImageArn: 'arn:aws:lambda:us-east-1:aws:microvm-image:al2023-1',
      baseImageVersion: '0',
      buildRoleArn: role.roleArn,
      codeArtifact: { uri: 's3://b/k.zip' },
      logging: {},
      egressNetworkConnectors: [],
      cpuConfigurations: [{ architecture: 'ARM_64' }],
      resources: [{ minimumMemoryInMiB: 512 }],
      additionalOsCapabilities: ['ALL'],
      hooks: {},
      environmentVariables: [{ key: 'API_KEY', value: 'abcdef' }],
    });
  })).toEqual([
    'build-hooks', 'content-addressed-artifact', 'environment-secret', 'internet-egress', 'log-group', 'old-base-image', 'os-capabilities', 'role-trust',
  ]);
});

describe('in a synth', () => {
  function appWith(define: (stack: Stack) => void, props?: MicrovmPolicyChecksProps): App {
    const app = new App();
    Validations.of(app).addPlugins(new MicrovmPolicyChecks(props));
    define(new Stack(app, 'Stack'));
    return app;
  }

  test('a finding fails it, with what is wrong, where, why and how to mend it', () => {
    const shown = failureOf(appWith((stack) => image(stack, { additionalOsCapabilities: [MicrovmOsCapability.ALL] })));
    expect(shown).toContain('The image has the capabilities ALL.');
    expect(shown).toContain('every Linux capability');
    expect(shown).toContain('Suggested fix: Leave additionalOsCapabilities out');
    expect(shown).toContain('Stack/Image');
    expect(shown).toContain("Acknowledge with 'cdk-lambda-microvms::os-capabilities'");
  });

  test.each<[string, (built: MicrovmImage) => any]>([
    ['the construct', (built) => built],
    ['its stack', (built) => Stack.of(built)],
    ['the app', (built) => built.node.root],
  ])('a finding that is acknowledged on %s fails nothing, and only that finding', (_where, scope) => {
    const acknowledged = (rule: string) => failureOf(appWith((stack) => {
      const built = image(stack, { additionalOsCapabilities: [MicrovmOsCapability.ALL] });
      Validations.of(scope(built)).acknowledge({ id: `cdk-lambda-microvms::${rule}`, reason: 'runs containers' });
    }));
    expect(acknowledged('os-capabilities')).toBe('');
    expect(acknowledged('public-ingress')).toContain('os-capabilities');
  });

  test('a finding that is acknowledged on one image is still found on another', () => {
    const shown = failureOf(appWith((stack) => {
      const props = { code: CODE, additionalOsCapabilities: [MicrovmOsCapability.ALL] };
      Validations.of(new MicrovmImage(stack, 'One', props)).acknowledge({ id: 'cdk-lambda-microvms::os-capabilities', reason: 'runs containers' });
      new MicrovmImage(stack, 'Two', props);
    }));
    expect(shown).toContain('Stack/Two');
    expect(shown).not.toContain('Stack/One');
  });

  test('a warning fails it only where warnings do', () => {
    const define = (stack: Stack) => void image(stack, { logging: MicrovmLogging.disabled() });
    expect(failureOf(appWith(define))).toBe('');
    expect(failureOf(appWith(define, { failOnWarnings: true }))).toContain('log-group');
  });

  test('stages and nested stacks are checked, and acknowledged like others', () => {
    const app = new App();
    Validations.of(app).addPlugins(new MicrovmPolicyChecks());
    const nested = new NestedStack(new Stack(new Stage(app, 'Prod'), 'Stack'), 'Nested');
    const built = image(nested, { additionalOsCapabilities: [MicrovmOsCapability.ALL] });
    expect(failureOf(app)).toContain('Prod/Stack/Nested/Image');

    const again = new App();
    Validations.of(again).addPlugins(new MicrovmPolicyChecks());
    const other = image(new NestedStack(new Stack(new Stage(again, 'Prod'), 'Stack'), 'Nested'), { additionalOsCapabilities: [MicrovmOsCapability.ALL] });
    Validations.of(other).acknowledge({ id: 'cdk-lambda-microvms::os-capabilities', reason: 'runs containers' });
    expect(failureOf(again)).toBe('');
    expect(built.node.path).toBe(other.node.path);
  });

  test('a template that is included is checked, and its resources can be acknowledged', () => {
    const template = goodTemplate();
    template.Resources.Image.Properties.AdditionalOsCapabilities = ['ALL'];
    const templateFile = join(mkdtempSync(join(tmpdir(), 'include-')), 'template.json');
    writeFileSync(templateFile, JSON.stringify(template));
    const include = (stack: Stack) => new CfnInclude(stack, 'Include', { templateFile });
    expect(failureOf(appWith(include))).toContain('os-capabilities');
    expect(failureOf(appWith((stack) => Validations.of(include(stack).getResource('Image'))
      .acknowledge({ id: 'cdk-lambda-microvms::os-capabilities', reason: 'runs containers' })))).toBe('');
  });

  test('a role of another stack is found out about', () => {
    const app = new App();
    const role = new iam.Role(new Stack(app, 'Roles'), 'Role', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    image(new Stack(app, 'Images'), { buildRole: role });
    expect(reportOn(app).violations.map(({ ruleName }) => ruleName)).toEqual(['role-trust']);
  });

  test('the account of the stack is the one that trust must be confined to', () => {
    const report = (account: string | string[]) => {
      const app = new App();
      const stack = new Stack(app, 'Stack', { env: { account: '111122223333', region: 'eu-west-1' } });
      const assumedBy = new iam.ServicePrincipal('lambda.amazonaws.com', { conditions: { StringEquals: { 'aws:SourceAccount': account } } });
      image(stack, { buildRole: new iam.Role(stack, 'Role', { assumedBy: assumedBy.withSessionTags() }) });
      return reportOn(app).violations.map(({ ruleName }) => ruleName);
    };
    expect(report('111122223333')).toEqual([]);
    expect(report('999988887777')).toEqual(['role-trust']);
    expect(report(['111122223333', '999988887777'])).toEqual(['role-trust']);
  });
});

describe('rules of your own', () => {
  class NamesBeginWithTheTeam implements IMicrovmPolicyRule {
    public readonly ruleId = 'team-name';
    public readonly severity = MicrovmPolicySeverity.ERROR;
    public readonly why = 'costs are assigned by name';
    public readonly fix = 'begin the name with the team';

    public check(subjects: IMicrovmPolicySubjects): MicrovmPolicyFinding[] {
      return subjects.images
        .filter((one) => !one.imageName.startsWith('shop-'))
        .map((one) => ({ resource: one, message: `the image is named '${one.imageName}'`, location: 'Properties.ImageName' }));
    }
  }

  test('fail the synth, and are acknowledged, like the others', () => {
    const app = (name: string, acknowledge = false) => {
      const made = new App();
      Validations.of(made).addPlugins(new MicrovmPolicyChecks({ additionalRules: [new NamesBeginWithTheTeam()] }));
      const built = image(new Stack(made, 'Stack'), { imageName: name });
      if (acknowledge) {
        Validations.of(built).acknowledge({ id: 'cdk-lambda-microvms::team-name', reason: 'older than the rule' });
      }
      return made;
    };
    expect(failureOf(app('shop-app'))).toBe('');
    expect(failureOf(app('app'))).toContain("The image is named 'app'. Costs are assigned by name.");
    expect(failureOf(app('app', true))).toBe('');
  });

  test('show no secret, though their message names one', () => {
    const key = `ghp_${'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7'.repeat(2).slice(0, 36)}`;
    const rule: IMicrovmPolicyRule = {
      ruleId: 'careless',
      severity: MicrovmPolicySeverity.ERROR,
      why: 'x',
      fix: 'x',
      check: ({ images }) => images.map((resource) => ({ resource, message: `the image is described as '${resource.text('Description')}'` })),
    };
    const app = new App();
    Validations.of(app).addPlugins(new MicrovmPolicyChecks({ additionalRules: [rule] }));
    image(new Stack(app, 'Stack'), { description: `uses ${key}` });
    const failure = failureOf(app);
    expect(failure).toContain("described as 'uses ***'");
    expect(failure).not.toContain(key);
  });

  test('see images, launches and any resource, with the same values however they are written', () => {
    let seen: IMicrovmPolicySubjects | undefined;
    const rule: IMicrovmPolicyRule = {
      ruleId: 'look',
      severity: MicrovmPolicySeverity.WARNING,
      why: 'x',
      fix: 'x',
      check: (subjects) => {
        seen = subjects;
        return subjects.resourcesOfType('AWS::Logs::LogGroup').map((resource) => ({ resource, message: 'a log group' }));
      },
    };
    const report = findingsIn((stack) => {
      const built = image(stack, { imageName: 'shop', tags: { team: 'shop' }, environment: { STAGE: 'prod' } });
      new MicrovmLaunchProfile(stack, 'Launch', { image: built }).addToFunction(launcher(stack));
    }, { additionalRules: [rule] });
    expect(report).toEqual(['look']);
    const [only] = seen!.images;
    expect(only).toMatchObject({ imageName: 'shop', memoryMiB: 2048, tags: { team: 'shop' }, environmentKeys: ['STAGE'], hooks: [] });
    expect(only.text('ImageName')).toBe('shop');
    expect(only.text('Nothing.There')).toBeUndefined();
    expect(only.texts('EgressNetworkConnectors')[0]).toMatch(/INTERNET_EGRESS$/);
    expect(seen!.launches).toHaveLength(1);
    expect(seen!.launches[0]).toMatchObject({ imageArn: only.imageArn, resourceType: 'AWS::Lambda::Function' });
    expect(seen!.resourcesOfType('AWS::Lambda::Function').length).toBeGreaterThan(1);
  });

  test.each<[string, MicrovmPolicyChecksProps, RegExp]>([
    ['an id that the library has', { additionalRules: [{ ruleId: 'role-trust' } as IMicrovmPolicyRule] }, /ruleId must be unique, got 'role-trust'/],
    ['an id twice', { additionalRules: [new NamesBeginWithTheTeam(), new NamesBeginWithTheTeam()] }, /ruleId must be unique, got 'team-name'/],
    ['an id that cannot be acknowledged', { additionalRules: [{ ruleId: 'a::b' } as IMicrovmPolicyRule] }, /ruleId must be made of letters, digits and '-', got 'a::b'/],
    ['no base image', { allowedBaseImages: [] }, /allowedBaseImages must have at least 1 base image/],
    ['no memory', { maximumMemoryMiB: 511 }, /maximumMemoryMiB must be a whole number of at least 512, got 511/],
    ['half a version', { minimumBaseImageVersion: 0.5 }, /minimumBaseImageVersion must be a whole number of at least 0, got 0.5/],
  ])('are refused with %s', (_what, props, message) => {
    expect(() => new MicrovmPolicyChecks(props)).toThrow(message);
  });

  test('are among the ids that the plugin tells', () => {
    expect(new MicrovmPolicyChecks({ additionalRules: [new NamesBeginWithTheTeam()] }).ruleIds).toEqual(expect.arrayContaining(['role-trust', 'team-name']));
  });
});

import * as path from 'path';
import { ArnFormat, Aws, Duration, Fn, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { Tag } from './microvm-image/contract';
import { formatBaseImageArn, formatImageArn, formatLogGroupArn, formatLogStreamsArn } from '../constructs/private/arn';
import { defaultLogGroupName, rolePath, stackPrefix } from '../constructs/private/naming';
import { acknowledgeWildcards } from '../constructs/private/rule-acknowledgments';

/** Never to change: CloudFormation refuses another service token for a deployed resource. */
const PROVIDER_ID = 'LambdaMicrovmImageProvider';
/** From `src/` and from `lib/` alike. */
const BUNDLES = path.join(__dirname, '..', '..', 'lib', 'custom-resources', 'microvm-image', 'handler');

const QUERY_INTERVAL = Duration.seconds(7);
/** 57 minutes, in whole intervals. A backstop: the handler ends by its own deadline of 55, CloudFormation gives up after 60. */
const TOTAL_TIMEOUT = Duration.seconds(490 * 7);

const READ_ACTIONS = [
  'lambda:GetMicrovmImageBuild',
  'lambda:ListMicrovmImageBuilds',
  'lambda:ListMicrovmImageVersions',
  'lambda:ListTags',
];
const CHANGE_ACTIONS = [
  'lambda:DeleteMicrovmImage',
  'lambda:DeleteMicrovmImageVersion',
  'lambda:TagResource',
  'lambda:UntagResource',
  'lambda:UpdateMicrovmImage',
  'lambda:UpdateMicrovmImageVersion',
];

/** What one image needs the handler to be allowed, beyond what every image with a generated name needs. */
export interface ImagePermissions {
  /** Of an image whose name the user chose. */
  readonly explicitImageArn?: string;
  /** Of a build role that is not under the stack's own path. */
  readonly foreignRoleArn?: string;
  readonly connectorArns: string[];
  /** Of a log group whose name does not follow from a generated image name. */
  readonly explicitLogGroupName?: string;
  readonly terminatesMicrovms: boolean;
}

/**
 * The Lambda functions behind the images of a stack: one set, whatever the number of images.
 *
 * CloudFormation updates the handler's policy before it cleans up images that were removed or renamed. So images are
 * reached by the stack's name prefix and by the stack's tag, which stay in the policy when the image has left it.
 */
export class MicrovmImageProvider extends Construct {
  public static getOrCreate(scope: Construct): MicrovmImageProvider {
    const stack = Stack.of(scope);
    return (stack.node.tryFindChild(PROVIDER_ID) as MicrovmImageProvider | undefined) ?? new MicrovmImageProvider(stack, PROVIDER_ID);
  }

  public readonly serviceToken: string;

  /** What the provider framework runs, and a refresh between deployments. */
  public readonly handlers: { readonly onEvent: lambda.IFunction; readonly isComplete: lambda.IFunction };

  private readonly policy = new iam.PolicyDocument();
  private readonly ownImages: iam.PolicyStatement[];
  private readonly passRole: iam.PolicyStatement;
  private readonly buildLogs: iam.PolicyStatement;
  private readonly explicitImages = new iam.PolicyStatement({ actions: [...READ_ACTIONS, 'lambda:TagResource'] });
  private readonly connectors = new iam.PolicyStatement({ actions: ['lambda:PassNetworkConnector'] });
  /** The tag leaves an image before its upkeep does, and the handler must see that. */
  private readonly upkeepTags = new iam.PolicyStatement({ actions: ['lambda:ListTags'] });
  private readonly upkeep = new iam.PolicyStatement({
    actions: [...READ_ACTIONS, 'lambda:DeleteMicrovmImageVersion'],
    conditions: carries(Tag.UPKEEP),
  });

  private constructor(scope: Construct, id: string) {
    super(scope, id);
    const prefix = stackPrefix(this);
    const generatedImages = formatImageArn(this, `${prefix}-*`);
    const everyImage = formatImageArn(this, '*');
    const baseImages = formatBaseImageArn(this, '*');
    const generatedLogGroups = formatLogGroupArn(this, defaultLogGroupName(`${prefix}-*`));
    const ownRoles = Stack.of(this).formatArn({
      service: 'iam',
      region: '',
      resource: 'role',
      resourceName: `${rolePath(this).slice(1)}*`,
      arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });

    this.ownImages = [
      new iam.PolicyStatement({ actions: [...READ_ACTIONS, ...CHANGE_ACTIONS], resources: [generatedImages] }),
      new iam.PolicyStatement({
        actions: [...READ_ACTIONS, ...CHANGE_ACTIONS],
        resources: [everyImage],
        conditions: carries(Tag.STACK),
      }),
    ];
    this.passRole = new iam.PolicyStatement({ actions: ['iam:PassRole'], resources: [ownRoles] });
    this.buildLogs = new iam.PolicyStatement({ actions: ['logs:FilterLogEvents'], resources: [generatedLogGroups] });
    this.policy.addStatements(
      ...this.ownImages,
      new iam.PolicyStatement({ actions: ['lambda:GetMicrovmImage'], resources: [everyImage] }),
      new iam.PolicyStatement({ actions: ['lambda:CreateMicrovmImage', 'lambda:ListMicrovms'], resources: ['*'] }),
      new iam.PolicyStatement({ actions: ['lambda:ListManagedMicrovmImageVersions'], resources: [baseImages] }),
      this.passRole,
      this.buildLogs,
    );

    const logGroup = new logs.LogGroup(this, 'LogGroup', {
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const onEventHandler = this.handler('OnEvent', 'on-event', logGroup, { timeout: Duration.minutes(1) });
    const isCompleteHandler = this.handler('IsComplete', 'is-complete', logGroup, { timeout: Duration.minutes(2), policy: this.policy });
    const provider = new Provider(this, 'Framework', {
      onEventHandler,
      isCompleteHandler,
      queryInterval: QUERY_INTERVAL,
      totalTimeout: TOTAL_TIMEOUT,
      frameworkLambdaLoggingLevel: lambda.ApplicationLogLevel.FATAL,
      disableWaiterStateMachineLogging: true,
      logGroup,
      frameworkOnEventRole: this.frameworkRole('FrameworkOnEventRole', logGroup),
      frameworkCompleteAndTimeoutRole: this.frameworkRole('FrameworkWaiterRole', logGroup),
    });
    this.serviceToken = provider.serviceToken;
    this.handlers = { onEvent: onEventHandler, isComplete: isCompleteHandler };

    this.acknowledgeRules(provider, [generatedImages, everyImage, baseImages, generatedLogGroups, ownRoles, '*']);
  }

  /** Lets the handler do what one more image needs. */
  public allow(image: ImagePermissions) {
    this.extend(this.connectors, image.connectorArns);
    if (image.foreignRoleArn) {
      this.passRole.addResources(image.foreignRoleArn);
    }
    if (image.explicitImageArn) {
      // Before the image carries the stack's tag, the condition on the tag does not let the handler look at it or tag it.
      this.extend(this.explicitImages, [image.explicitImageArn]);
    }
    if (image.explicitLogGroupName) {
      const streams = formatLogStreamsArn(this, image.explicitLogGroupName);
      this.buildLogs.addResources(formatLogGroupArn(this, image.explicitLogGroupName), streams);
      acknowledgeWildcards(this, 'The log streams of one log group', [streams]);
    }
    if (image.terminatesMicrovms) {
      this.ownImages.forEach((statement) => statement.addActions('lambda:TerminateMicrovm'));
    }
  }

  /** Lets the handler look after the images that CloudFormation builds for this stack. */
  public allowUpkeep(terminatesMicrovms: boolean) {
    const everyImage = formatImageArn(this, '*');
    this.extend(this.upkeepTags, [everyImage]);
    this.extend(this.upkeep, [everyImage]);
    if (terminatesMicrovms) {
      this.upkeep.addActions('lambda:TerminateMicrovm');
    }
  }

  /** A statement takes its place in the policy with its first resource. */
  private extend(statement: iam.PolicyStatement, resources: string[]) {
    if (statement.resources.length === 0) {
      this.policy.addStatements(statement);
    }
    statement.addResources(...resources);
  }

  private handler(id: string, bundle: string, logGroup: logs.LogGroup, options: { timeout: Duration; policy?: iam.PolicyDocument }) {
    return new lambda.Function(this, id, {
      description: `Lambda MicroVM images of this stack (${bundle})`,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      handler: 'index.handler',
      code: lambda.Code.fromAsset(path.join(BUNDLES, `${bundle}.lambda`)),
      memorySize: 512,
      timeout: options.timeout,
      logGroup,
      role: new iam.Role(this, `${id}Role`, {
        assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
        inlinePolicies: {
          Logs: new iam.PolicyDocument({ statements: [logDelivery(logGroup)] }),
          // In the role itself, so that the handler never runs without it.
          ...(options.policy && { Images: options.policy }),
        },
      }),
    });
  }

  /** The framework's own default role may write to every log group. */
  private frameworkRole(id: string, logGroup: logs.LogGroup): iam.Role {
    return new iam.Role(this, id, {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: { Logs: new iam.PolicyDocument({ statements: [logDelivery(logGroup)] }) },
    });
  }

  private acknowledgeRules(provider: Provider, policyResources: string[]) {
    acknowledgeWildcards(
      this,
      'CloudFormation updates this policy before it deletes images that left the stack, so they are reached by the stack\'s prefix or tag; ' +
      'CreateMicrovmImage and ListMicrovms have no resource',
      policyResources,
    );
    const invoked = ['framework-isComplete', 'framework-onTimeout'].map((id) => provider.node.findChild(id) as lambda.Function);
    acknowledgeWildcards(
      this,
      'The versions of one function, which the CDK provider framework invokes',
      [provider.onEventHandler, provider.isCompleteHandler!, ...invoked].map((fn) => `${fn.functionArn}:*`),
    );
    Validations.of(provider).acknowledge(
      { id: 'AwsSolutions-SF1', reason: 'Execution events carry the response URL of the custom resource: they are not logged' },
      { id: 'AwsSolutions-SF2', reason: 'The waiter of the CDK provider framework only polls one function' },
      { id: 'AwsSolutions-L1', reason: 'The CDK chooses the runtime of the provider framework' },
    );
  }
}

/** Images are tagged with this part of the id of their stack. */
function carries(tag: string) {
  return { StringEquals: { [`aws:ResourceTag/${tag}`]: Fn.select(2, Fn.split('/', Aws.STACK_ID)) } };
}

function logDelivery(logGroup: logs.LogGroup): iam.PolicyStatement {
  return new iam.PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] });
}

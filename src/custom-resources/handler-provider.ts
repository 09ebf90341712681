import * as path from 'path';
import { Annotations, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Provider } from 'aws-cdk-lib/custom-resources';
import { Construct } from 'constructs';
import { putEventsStatement } from '../constructs/private/image-events';
import { MAX_INLINE_POLICIES, policySize } from '../constructs/private/policy-size';
import { acknowledgeWildcards } from '../constructs/private/rule-acknowledgments';

/** From `src/` and from `lib/` alike. */
const BUNDLES = path.join(__dirname, '..', '..', 'lib', 'custom-resources');

const QUERY_INTERVAL = Duration.seconds(7);
/** 57 minutes, in whole intervals. A backstop: a handler ends by its own deadline of 55, CloudFormation gives up after 60. */
const TOTAL_TIMEOUT = Duration.seconds(490 * 7);

export interface HandlerProviderProps {
  /** The folder of the bundles `on-event.lambda` and `is-complete.lambda`: the name of the custom resource. */
  readonly resource: string;
  /** What the functions are about. */
  readonly description: string;
  /** What the handler that does the work may do, beside writing its logs. Statements may be added to it later. */
  readonly policy?: HandlerPolicy;
  /** @default Duration.minutes(2) */
  readonly isCompleteTimeout?: Duration;
}

export interface HandlerPolicy {
  readonly name: string;
  readonly document: iam.PolicyDocument;
}

interface HandlerOptions {
  readonly timeout: Duration;
  readonly policies: Record<string, iam.PolicyDocument>;
}

/**
 * The Lambda functions and the waiter behind a custom resource: `onEvent`, which calls no API, `isComplete`, which does
 * all the work a step at a time, and CDK's Provider framework, which asks every 7 seconds.
 */
export abstract class HandlerProvider extends Construct {
  public readonly serviceToken: string;

  /** What the provider framework runs, and a refresh between deployments. */
  public readonly handlers: { readonly onEvent: lambda.IFunction; readonly isComplete: lambda.IFunction };

  /** The role of the handler that does the work. */
  protected readonly handlerRole: iam.Role;

  /** Those of the role from the beginning, and those that were attached. */
  private readonly documents: iam.PolicyDocument[];
  private readonly policy?: iam.PolicyDocument;
  private readonly eventBuses = putEventsStatement();

  constructor(scope: Construct, id: string, props: HandlerProviderProps) {
    super(scope, id);
    const logGroup = new logs.LogGroup(this, 'LogGroup', {
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const onEventHandler = this.handler('OnEvent', 'on-event', logGroup, props, { timeout: Duration.minutes(1), policies: logDelivery(logGroup) });
    const policies = {
      ...logDelivery(logGroup),
      // In the role itself, so that the handler never runs without it.
      ...props.policy && { [props.policy.name]: props.policy.document },
    };
    const isCompleteHandler = this.handler('IsComplete', 'is-complete', logGroup, props, {
      timeout: props.isCompleteTimeout ?? Duration.minutes(2),
      policies,
    });
    this.handlerRole = isCompleteHandler.role as iam.Role;
    this.policy = props.policy?.document;
    this.documents = Object.values(policies);
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
    this.acknowledgeRules(provider);
    this.node.addValidation({ validate: () => this.sizeProblems(props.description) });
  }

  /** Lets the handler put the events of this library on a bus. */
  public allowEvents(eventBusArn: string) {
    this.extend(this.eventBuses, [eventBusArn]);
  }

  /** A statement takes its place in the policy with its first resource. */
  protected extend(statement: iam.PolicyStatement, resources: string[]) {
    if (statement.resources.length === 0 && resources.length > 0) {
      this.addStatement(statement);
    }
    statement.addResources(...resources);
  }

  /** A policy of the role that leaves the stack with the scope it is in. */
  protected attachPolicy(scope: Construct, id: string, statements: iam.PolicyStatement[]): iam.Policy {
    const policy = new iam.Policy(scope, id, { roles: [this.handlerRole], statements });
    this.documents.push(policy.document);
    return policy;
  }

  private addStatement(statement: iam.PolicyStatement) {
    if (this.policy) {
      this.policy.addStatements(statement);
    } else {
      this.handlerRole.addToPrincipalPolicy(statement);
    }
  }

  /** IAM would refuse them when all else of the stack is made. */
  private sizeProblems(description: string): string[] {
    const added = this.handlerRole.node.tryFindChild('DefaultPolicy') as iam.Policy | undefined;
    const { least, most } = policySize(Stack.of(this), [...this.documents, ...(added ? [added.document] : [])]);
    const rule = `${description}: the policies of the handler's role must be at most ${MAX_INLINE_POLICIES} characters in all, white space not counted`;
    const advice = 'put some of the images into another stack';
    if (least <= MAX_INLINE_POLICIES && most > MAX_INLINE_POLICIES) {
      Annotations.of(this).addWarningV2(
        'cdk-lambda-microvms:handlerPolicySize',
        `${rule}, got ${least} to ${most}, which depends on names, region and partition; ${advice}`,
      );
    }
    return least > MAX_INLINE_POLICIES ? [`${rule}, got at least ${least}; ${advice}`] : [];
  }

  private handler(id: string, bundle: string, logGroup: logs.LogGroup, props: HandlerProviderProps, options: HandlerOptions) {
    return new lambda.Function(this, id, {
      description: `${props.description} (${bundle})`,
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      handler: 'index.handler',
      code: lambda.Code.fromAsset(path.join(BUNDLES, props.resource, 'handler', `${bundle}.lambda`)),
      memorySize: 512,
      timeout: options.timeout,
      logGroup,
      role: new iam.Role(this, `${id}Role`, {
        assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
        inlinePolicies: options.policies,
      }),
    });
  }

  /** The framework's own default role may write to every log group. */
  private frameworkRole(id: string, logGroup: logs.LogGroup): iam.Role {
    return new iam.Role(this, id, {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: logDelivery(logGroup),
    });
  }

  private acknowledgeRules(provider: Provider) {
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

function logDelivery(logGroup: logs.LogGroup): Record<string, iam.PolicyDocument> {
  return {
    Logs: new iam.PolicyDocument({
      statements: [new iam.PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] })],
    }),
  };
}

import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { HandlerProvider } from './handler-provider';
import { formatLogGroupArn, formatLogStreamsArn } from '../constructs/private/arn';
import { acknowledgeWildcards } from '../constructs/private/rule-acknowledgments';

/** Never to change: CloudFormation refuses another service token for a deployed resource. */
const PROVIDER_ID = 'LambdaMicrovmSmokeTestProvider';

/** What one test needs the handler to be allowed. */
export interface SmokeTestPermissions {
  readonly imageArn: string;
  readonly executionRoleArn: string;
  readonly connectorArns: string[];
  readonly logGroupName: string;
  readonly checkFunctionArn?: string;
}

/**
 * The Lambda functions behind the smoke tests of a stack: one set, whatever the number of tests.
 *
 * It may launch and end MicroVMs of the tested images, and pass the roles of the tests. When a test has left the stack, its
 * image has left this policy before CloudFormation deletes the test: the handler then leaves it at that.
 */
export class MicrovmSmokeTestProvider extends HandlerProvider {
  public static getOrCreate(scope: Construct): MicrovmSmokeTestProvider {
    const stack = Stack.of(scope);
    return (stack.node.tryFindChild(PROVIDER_ID) as MicrovmSmokeTestProvider | undefined) ?? new MicrovmSmokeTestProvider(stack, PROVIDER_ID);
  }

  private readonly images = new iam.PolicyStatement({
    actions: [
      'lambda:CreateMicrovmAuthToken', 'lambda:GetMicrovm', 'lambda:GetMicrovmImage', 'lambda:ListTags', 'lambda:RunMicrovm',
      'lambda:TagResource', 'lambda:TerminateMicrovm', 'lambda:UntagResource',
    ],
  });
  private readonly roles = new iam.PolicyStatement({ actions: ['iam:PassRole'] });
  private readonly connectors = new iam.PolicyStatement({ actions: ['lambda:PassNetworkConnector'] });
  private readonly logs = new iam.PolicyStatement({ actions: ['logs:FilterLogEvents'] });
  private readonly checks = new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'] });

  private constructor(scope: Construct, id: string) {
    const policy = new iam.PolicyDocument({
      statements: [new iam.PolicyStatement({ actions: ['lambda:ListMicrovms'], resources: ['*'] })],
    });
    super(scope, id, {
      resource: 'microvm-smoke-test',
      description: 'Smoke tests of the Lambda MicroVM images of this stack',
      policy: { name: 'SmokeTests', document: policy },
      // A function as a check may take minutes.
      isCompleteTimeout: Duration.minutes(5),
    });
    acknowledgeWildcards(this, 'ListMicrovms: the service offers no narrower resource for it', ['*']);
  }

  /** Lets the handler do what one more test needs. */
  public allow(test: SmokeTestPermissions) {
    const streams = formatLogStreamsArn(this, test.logGroupName);
    this.extend(this.images, [test.imageArn]);
    this.extend(this.roles, [test.executionRoleArn]);
    this.extend(this.connectors, test.connectorArns);
    this.extend(this.logs, [formatLogGroupArn(this, test.logGroupName), streams]);
    this.extend(this.checks, test.checkFunctionArn === undefined ? [] : [test.checkFunctionArn]);
    acknowledgeWildcards(this, 'The log streams of one log group', [streams]);
  }
}

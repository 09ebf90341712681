import * as path from 'path';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

/** From `src/` and from `lib/` alike. */
const BUNDLE = path.join(__dirname, '..', '..', 'lib', 'custom-resources', 'microvm-image', 'handler', 'check-base.lambda');

export interface BaseImageCheckProps {
  readonly imageArn: string;
  readonly baseImageArn: string;
}

/** The function that looks whether a base image moved. It may read one image and one base image, and change nothing. */
export class BaseImageCheck extends Construct {
  public readonly handler: lambda.Function;

  constructor(scope: Construct, id: string, props: BaseImageCheckProps) {
    super(scope, id);
    const logGroup = new logs.LogGroup(this, 'LogGroup', {
      retention: logs.RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const allow = (actions: string[], resource: string) => new iam.PolicyStatement({ actions, resources: [resource] });
    this.handler = new lambda.Function(this, 'Handler', {
      description: 'Looks whether the base image of a Lambda MicroVM image moved',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      handler: 'index.handler',
      code: lambda.Code.fromAsset(BUNDLE),
      memorySize: 512,
      timeout: Duration.minutes(1),
      logGroup,
      role: new iam.Role(this, 'HandlerRole', {
        assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
        inlinePolicies: {
          Check: new iam.PolicyDocument({
            statements: [
              allow(['logs:CreateLogStream', 'logs:PutLogEvents'], logGroup.logGroupArn),
              allow(['lambda:GetMicrovmImage', 'lambda:ListMicrovmImageVersions', 'lambda:ListTags'], props.imageArn),
              allow(['lambda:ListManagedMicrovmImageVersions'], props.baseImageArn),
            ],
          }),
        },
      }),
    });
  }
}

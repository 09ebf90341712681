import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { formatLogStreamsArn } from './private/arn';
import { lit, propertyInjectable, ValidationError } from './private/cdk-internals';
import { policyArnOf } from './private/image-reference';
import { acknowledgeWildcards } from './private/rule-acknowledgments';
import { grantLogDelivery, ServiceRole } from './private/service-role';

/**
 * Properties of an `ExecutionRole`.
 */
export interface ExecutionRoleProps {
  /**
   * The log group the MicroVMs write to. The role may write to it and to no other. A launch names it again.
   *
   * @default - none: the output of the app is lost
   */
  readonly logGroup?: logs.ILogGroupRef;

  /**
   * Whether the service may assume the role on behalf of this account only (`aws:SourceAccount` in the trust policy).
   *
   * @default true
   */
  readonly sourceAccountCondition?: boolean;

  /**
   * The images whose MicroVMs may run with this role (`aws:SourceArn` in the trust policy). An empty list is an error.
   *
   * @default - any image of the account
   */
  readonly sourceImages?: lambda.IMicrovmImageRef[];

  /**
   * What the role is for.
   *
   * @default 'Runs Lambda MicroVMs'
   */
  readonly description?: string;
}

/**
 * The role MicroVMs run with. Every process in a MicroVM can read its credentials: grant it what the app needs and no
 * more.
 *
 * It is named at launch, not in the image. Without one, a MicroVM has no AWS credentials and its output is lost.
 *
 * Lambda may assume it (`sts:AssumeRole`, `sts:TagSession`), by default on behalf of this account only.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-security.html
 *
 * @example
 * declare const image: MicrovmImage;
 * declare const table: dynamodb.Table;
 * declare const launcher: lambda.Function;
 * const executionRole = new ExecutionRole(this, 'ExecutionRole', { sourceImages: [image] });
 * table.grantReadData(executionRole);
 * image.grants.run(launcher, { executionRole });
 */
@propertyInjectable
export class ExecutionRole extends ServiceRole {
  /** Uniquely identifies this class. */
  public static readonly PROPERTY_INJECTION_ID: string = 'cdk-lambda-microvms.ExecutionRole';

  constructor(scope: Construct, id: string, props: ExecutionRoleProps = {}) {
    super(scope, id, {
      description: props.description ?? 'Runs Lambda MicroVMs',
      sourceAccountCondition: props.sourceAccountCondition,
      sourceImageArns: () => props.sourceImages?.map(policyArnOf),
    });
    if (props.sourceImages?.length === 0) {
      throw new ValidationError(
        lit`ExecutionRoleSourceImagesNone`,
        'sourceImages must have at least 1 image, got []; leave it out for any image of the account',
        this,
      );
    }
    if (props.logGroup) {
      const streams = formatLogStreamsArn(this, props.logGroup.logGroupRef.logGroupName);
      grantLogDelivery(this, streams);
      acknowledgeWildcards(this, 'The log streams of one log group', [streams]);
    }
  }
}

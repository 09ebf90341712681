import { RemovalPolicy, Size, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as s3deploy from 'aws-cdk-lib/aws-s3-deployment';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from './rule-acknowledgments';

/** Never to change: it is part of logical ids. */
const COPIER_ID = 'LambdaMicrovmObjectCopier';

/** The zip passes through the disk of the function. The most there is, which costs nothing beyond the seconds of a copy. */
const DISK = Size.gibibytes(10);
/** One whole CPU. With the disk it tells the function from those of other bucket deployments of the stack, which have their own role. */
const MEMORY_MIB = 1769;

export interface ObjectCopyProps {
  readonly source: s3deploy.ISource;
  /** Whether the source is a zip of what is to be copied. */
  readonly extract: boolean;
  readonly bucket: s3.IBucket;
  /** The folder in the bucket. */
  readonly prefix: string;
}

/**
 * Copies objects between buckets at deploy time, and deletes none: the bucket deployments of the CDK, in a stack run by one function.
 *
 * The CDK would let it read and change whole buckets. Here each copy brings a policy on the two folders it is about, which stays
 * the same for every version: one that changed with it would have to reach all of IAM before the copy begins, and again in a rollback.
 */
export class ObjectCopier extends Construct {
  public static getOrCreate(scope: Construct): ObjectCopier {
    const stack = Stack.of(scope);
    return (stack.node.tryFindChild(COPIER_ID) as ObjectCopier | undefined) ?? new ObjectCopier(stack, COPIER_ID);
  }

  private readonly role: iam.Role;
  private readonly fixedRole: iam.IRole;
  private readonly logGroup: logs.LogGroup;

  private constructor(scope: Construct, id: string) {
    super(scope, id);
    this.logGroup = new logs.LogGroup(this, 'LogGroup', { retention: logs.RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY });
    this.role = new iam.Role(this, 'Role', {
      description: 'Copies the sources of Lambda MicroVM images',
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: {
        Logs: new iam.PolicyDocument({
          statements: [new iam.PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [this.logGroup.logGroupArn] })],
        }),
      },
    });
    this.fixedRole = this.role.withoutPolicyUpdates();
  }

  public copy(scope: Construct, id: string, { source, extract, bucket, prefix }: ObjectCopyProps): s3deploy.BucketDeployment {
    const policy = new iam.Policy(scope, `${id}Policy`, { roles: [this.role] });
    const folder = bucket.arnForObjects(`${prefix}/*`);
    policy.addStatements(
      new iam.PolicyStatement({ actions: ['s3:ListBucket'], resources: [bucket.bucketArn] }),
      new iam.PolicyStatement({ actions: ['s3:AbortMultipartUpload', 's3:PutObject'], resources: [folder] }),
      ...withKey(bucket, ['kms:Decrypt', 'kms:GenerateDataKey']),
    );
    acknowledgeWildcards(policy, 'The folder of one publication', [folder]);
    const readable: s3deploy.ISource = {
      bind: (deployment, context) => {
        const config = source.bind(deployment, context);
        // A staging bucket has templates too: only zips are ever copied.
        const origin = config.bucket.arnForObjects(`${/^(.*\/)?/.exec(config.zipObjectKey)![0]}*.zip`);
        policy.addStatements(
          new iam.PolicyStatement({ actions: ['s3:GetObject'], resources: [origin] }),
          ...withKey(config.bucket, ['kms:Decrypt']),
        );
        acknowledgeWildcards(policy, 'The zips of a folder: the name of what is copied changes with its content', [origin]);
        return config;
      },
    };
    const deployment = new s3deploy.BucketDeployment(scope, id, {
      sources: [readable],
      extract,
      destinationBucket: bucket,
      destinationKeyPrefix: prefix,
      prune: false,
      role: this.fixedRole,
      logGroup: this.logGroup,
      memoryLimit: MEMORY_MIB,
      ephemeralStorageSize: DISK,
    });
    deployment.node.addDependency(policy);
    this.acknowledgeRuntime();
    return deployment;
  }

  private acknowledgeRuntime() {
    Stack.of(this).node.children.filter((child) => (child as lambda.Function).role === this.fixedRole).forEach((fn) => {
      Validations.of(fn).acknowledge({ id: 'AwsSolutions-L1', reason: 'The CDK chooses the runtime of bucket deployments' });
    });
  }
}

function withKey({ encryptionKey }: s3.IBucket, actions: string[]): iam.PolicyStatement[] {
  return encryptionKey ? [new iam.PolicyStatement({ actions, resources: [encryptionKey.keyArn] })] : [];
}

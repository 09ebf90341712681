import * as iam from 'aws-cdk-lib/aws-iam';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { DockerfileFacts } from './dockerfile-stages';

/** What an image needs to know of its code. */
export interface BoundCode {
  readonly bucket: s3.IBucket;
  readonly key: string;
  readonly uri: string;
  /** The ARN of the one object. */
  readonly objectArn: string;
  /** The ARN of the ECR repository the build pulls from. */
  readonly repositoryArn?: string;
  /** Undefined when the code cannot be read while synthesizing. */
  readonly dockerfile?: DockerfileFacts;
  /** Lets a role read the object and pull from the repository, and nothing else. */
  grantRead(grantee: iam.IGrantable): iam.Grant[];
}

export function inBucket(bucket: s3.IBucket, key: string): BoundCode {
  const objectArn = bucket.arnForObjects(key);
  return {
    bucket,
    key,
    uri: bucket.s3UrlForObject(key),
    objectArn,
    grantRead: (grantee) => [
      iam.Grant.addToPrincipal({ grantee, actions: ['s3:GetObject'], resourceArns: [objectArn] }),
      ...(bucket.encryptionKey ? [bucket.encryptionKey.grantDecrypt(grantee)] : []),
    ],
  };
}

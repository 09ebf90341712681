import { PhysicalName, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';

/** A bucket for the sources of images, or copies of them: private, encrypted, reached by TLS only. */
export function sourceBucket(scope: Construct, removalPolicy: RemovalPolicy): s3.Bucket {
  const bucket = new s3.Bucket(scope, 'Bucket', {
    bucketName: PhysicalName.GENERATE_IF_NEEDED,
    blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
    // With a key, every reader would need permissions on it too.
    encryption: s3.BucketEncryption.S3_MANAGED,
    enforceSSL: true,
    objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
    removalPolicy,
    versioned: true,
    autoDeleteObjects: removalPolicy === RemovalPolicy.DESTROY,
  });
  Validations.of(bucket).acknowledge({ id: 'AwsSolutions-S1', reason: 'Access logs need a bucket of their own: give a bucket that has one' });
  return bucket;
}

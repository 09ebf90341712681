import { Identity, PolicyStatement } from './policy-documents';

/** What AWS's own policies allow that matters here, all of it on every resource. */
const ALLOWED_ON_EVERYTHING: Record<string, string[]> = {
  AdministratorAccess: ['*'],
  PowerUserAccess: ['lambda:*', 's3:*', 'ecr:*', 'logs:*'],
  IAMFullAccess: ['iam:*'],
  AWSLambda_FullAccess: ['lambda:*'],
  AmazonS3FullAccess: ['s3:*'],
  AmazonS3ReadOnlyAccess: ['s3:Get*', 's3:List*'],
  AmazonEC2ContainerRegistryFullAccess: ['ecr:*'],
  AmazonEC2ContainerRegistryPowerUser: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer', 'ecr:PutImage'],
  AmazonEC2ContainerRegistryReadOnly: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
  AmazonEC2ContainerRegistryPullOnly: ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
};

/** Of the policies an identity has from AWS, those known here, as statements. */
export function awsManagedStatements({ otherPolicyArns }: Identity): PolicyStatement[] {
  return otherPolicyArns.flatMap((arn) => {
    const [, name] = /^arn:[^:]+:iam::aws:policy\/(?:[\w-]+\/)*([\w-]+)$/.exec(arn) ?? [];
    const actions = name === undefined ? undefined : ALLOWED_ON_EVERYTHING[name];
    return actions ? [{ effect: 'Allow', actions, resources: ['*'], conditions: [] }] : [];
  });
}

import * as lambda from 'aws-cdk-lib/aws-lambda';

/** What the library's own images and imports know beyond their reference. */
interface ImageFacts {
  readonly imageVersion: string;
  readonly buildRoleArn: string;
  readonly _policyArn: string;
  readonly _egressConnectorArn: string;
  readonly _hasRunHook: boolean;
}

export type ImageReference = lambda.IMicrovmImageRef & Partial<ImageFacts>;

/**
 * The ARN of an image for use in policies.
 *
 * Our images give one made of their name. With a reference instead, a policy would wait for the image while the image
 * waits for the policies of its build role.
 */
export function policyArnOf(image: ImageReference): string {
  return image._policyArn ?? image.microvmImageRef.imageArn;
}

import { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { HandlerProvider } from './handler-provider';

/** Never to change: CloudFormation refuses another service token for a deployed resource. */
const PROVIDER_ID = 'LambdaMicrovmImagePublicationProvider';

/**
 * The Lambda functions behind the publications and channels of a stack: one set, whatever their number.
 *
 * Each of them brings a policy of its own, on exactly its parameters and its image. CloudFormation deletes such a policy after
 * the publication that needs it, so that one that left the stack can still take its parameters along.
 */
export class MicrovmImagePublicationProvider extends HandlerProvider {
  public static getOrCreate(scope: Construct): MicrovmImagePublicationProvider {
    const stack = Stack.of(scope);
    return (stack.node.tryFindChild(PROVIDER_ID) as MicrovmImagePublicationProvider | undefined)
      ?? new MicrovmImagePublicationProvider(stack, PROVIDER_ID);
  }

  private constructor(scope: Construct, id: string) {
    super(scope, id, {
      resource: 'microvm-image-publication',
      description: 'Publications of the Lambda MicroVM images of this stack',
    });
  }

  /** Lets the handler do what one publication or channel needs, which must depend on the policy. */
  public allow(scope: Construct, statements: iam.PolicyStatement[]): iam.Policy {
    return this.attachPolicy(scope, 'HandlerPolicy', statements);
  }
}

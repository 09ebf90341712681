import { Resource } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { MicrovmConnector } from './microvm-connector';
import { lit, propertyInjectable, ValidationError } from './private/cdk-internals';

/**
 * Properties of a `NetworkConnectorPolicy`.
 */
export interface NetworkConnectorPolicyProps {
  /**
   * The connectors that may be passed.
   *
   * @default - none; then `anyConnector` must be true
   */
  readonly connectors?: MicrovmConnector[];

  /**
   * Lets every connector be passed (`*`). AWS's own reference lists no resource for this action, so this is the way out
   * should a launch be denied that names only listed connectors. Not together with `connectors`.
   *
   * @default false
   */
  readonly anyConnector?: boolean;

  /**
   * Roles to attach the policy to.
   *
   * @default - none; use `attachTo`
   */
  readonly roles?: iam.IRole[];
}

/**
 * A managed policy that lets principals pass network connectors to MicroVMs and images:
 * `lambda:PassNetworkConnector` on exactly the listed connectors.
 *
 * Every launch needs this permission, even one that names no connector. `image.grants.run()` gives it already; this
 * policy is for principals that are managed elsewhere.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-networking.html
 *
 * @example
 * declare const operator: iam.Role;
 * const policy = new NetworkConnectorPolicy(this, 'Connectors', {
 *   connectors: [MicrovmConnector.NO_INGRESS, MicrovmConnector.INTERNET_EGRESS],
 * });
 * policy.attachTo(operator);
 */
@propertyInjectable
export class NetworkConnectorPolicy extends Resource implements iam.IManagedPolicyRef {
  /** Uniquely identifies this class. */
  public static readonly PROPERTY_INJECTION_ID: string = 'cdk-lambda-microvms.NetworkConnectorPolicy';

  private readonly policy: iam.ManagedPolicy;

  constructor(scope: Construct, id: string, props: NetworkConnectorPolicyProps) {
    super(scope, id);
    const connectors = props.connectors ?? [];
    if ((connectors.length > 0) === (props.anyConnector ?? false)) {
      throw new ValidationError(
        lit`NetworkConnectorPolicyConnectors`,
        `connectors must be at least 1, or anyConnector true, but not both; got ${connectors.length} and ${props.anyConnector ?? false}`,
        this,
      );
    }
    this.policy = new iam.ManagedPolicy(this, 'Resource', {
      description: 'Pass network connectors to Lambda MicroVMs',
      statements: [new iam.PolicyStatement({
        actions: ['lambda:PassNetworkConnector'],
        resources: props.anyConnector ? ['*'] : connectors.map((connector) => connector.arnIn(this)),
      })],
      roles: props.roles,
    });
    this.node.defaultChild = this.policy.node.defaultChild;
  }

  /** A reference to the policy. */
  public get managedPolicyRef(): iam.ManagedPolicyReference {
    return this.policy.managedPolicyRef;
  }

  /** The ARN of the policy. */
  public get managedPolicyArn(): string {
    return this.policy.managedPolicyArn;
  }

  /** Attaches the policy to a role. */
  public attachTo(role: iam.IRole): void {
    this.policy.attachToRole(role);
  }
}

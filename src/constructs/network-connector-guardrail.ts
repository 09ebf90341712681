import * as iam from 'aws-cdk-lib/aws-iam';
import { lit, UnscopedValidationError } from './private/cdk-internals';

/** In any partition and region: an organisation's policy is in force in all of them. */
const MANAGED_CONNECTORS = 'arn:*:lambda:*:aws:network-connector:aws-network-connector';
const IMAGES = 'arn:*:lambda:*:*:microvm-image:*';

/**
 * What a `NetworkConnectorGuardrail` forbids. At least one must be true.
 */
export interface NetworkConnectorGuardrailOptions {
  /**
   * MicroVMs that can be reached from the internet: launches with `HTTP_INGRESS` or `ALL_INGRESS`.
   *
   * The service gives `HTTP_INGRESS` to a launch that names no ingress connector and asks for the permission to pass it all
   * the same, so such a launch is denied too.
   *
   * @default false
   */
  readonly publicIngress?: boolean;

  /**
   * A shell in MicroVMs: launches with `SHELL_INGRESS`, and tokens for a shell.
   *
   * @default false
   */
  readonly shellIngress?: boolean;

  /**
   * MicroVMs and builds that reach the internet by AWS's own connector, `INTERNET_EGRESS`. VPC connectors are left alone.
   *
   * It is what an image gets that names no connector: whoever deploys such images is denied too, the image handler of a
   * stack of this library among them.
   *
   * @default false
   */
  readonly internetEgress?: boolean;
}

/**
 * A policy document that keeps principals from passing certain connectors to MicroVMs, whatever else allows it: for a
 * service control policy (SCP) of an organisation, or a permission boundary. It adds no resource.
 *
 * The same in every partition and region. It only denies: a permission boundary must allow something besides.
 *
 * AWS's reference lists no resource for `lambda:PassNetworkConnector`. That the service checks the ARN of the connector has
 * been seen in denials, and is not promised: try a launch that must be denied before you rely on it.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-networking.html
 *
 * @example
 * const guardrail = NetworkConnectorGuardrail.forbid({ publicIngress: true, shellIngress: true });
 *
 * const scp = guardrail.toJson(); // the content of an SCP
 *
 * const boundary = guardrail.toPolicyDocument();
 * boundary.addStatements(new iam.PolicyStatement({ actions: ['lambda:*', 'iam:PassRole', 'logs:*'], resources: ['*'] }));
 * new iam.ManagedPolicy(this, 'Boundary', { document: boundary });
 */
export class NetworkConnectorGuardrail {
  /** Forbids what is true. Nothing to forbid is an error. */
  public static forbid(options: NetworkConnectorGuardrailOptions): NetworkConnectorGuardrail {
    const { publicIngress, shellIngress, internetEgress } = options;
    const connectors = [
      ...(publicIngress ? ['HTTP_INGRESS', 'ALL_INGRESS'] : []),
      ...(shellIngress ? ['SHELL_INGRESS'] : []),
      ...(internetEgress ? ['INTERNET_EGRESS'] : []),
    ];
    if (connectors.length === 0) {
      throw new UnscopedValidationError(
        lit`NetworkConnectorGuardrailNothing`,
        'publicIngress, shellIngress or internetEgress must be true, got none of them; give what to forbid',
      );
    }
    return new NetworkConnectorGuardrail(connectors, shellIngress ?? false);
  }

  private constructor(private readonly connectors: string[], private readonly forbidsShells: boolean) {}

  /** A new document with the denials, for a managed policy or a permission boundary. */
  public toPolicyDocument(): iam.PolicyDocument {
    return new iam.PolicyDocument({
      statements: [
        new iam.PolicyStatement({
          sid: 'ForbidConnectors',
          effect: iam.Effect.DENY,
          actions: ['lambda:PassNetworkConnector'],
          resources: this.connectors.map((name) => `${MANAGED_CONNECTORS}:${name}`),
        }),
        // This action has a resource in AWS's reference, so it is denied even where connectors are not told apart.
        ...(this.forbidsShells ? [new iam.PolicyStatement({
          sid: 'ForbidShells',
          effect: iam.Effect.DENY,
          actions: ['lambda:CreateMicrovmShellAuthToken'],
          resources: [IMAGES],
        })] : []),
      ],
    });
  }

  /** The document as JSON, without references to resources of a stack. */
  public toJson(): string {
    return JSON.stringify(this.toPolicyDocument());
  }
}

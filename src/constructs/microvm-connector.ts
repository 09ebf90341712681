import { Stack, Token } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { IConstruct } from 'constructs';
import { formatManagedConnectorArn } from './private/arn';
import { lit, UnscopedValidationError, ValidationError } from './private/cdk-internals';

const INGRESS = 'ingress';
const EGRESS = 'egress';
const CONNECTOR_ARN = /^arn:[^:]+:lambda:[^:]+:(aws:network-connector:aws-network-connector|\d{12}:network-connector):[a-zA-Z0-9-_]+(:\d+)?$/;

/**
 * A network connector: what a MicroVM can reach (egress), or how it can be reached (ingress).
 *
 * The constants are connectors managed by AWS. For a VPC, make a `lambda.NetworkConnector` for the compute type
 * `MICRO_VM` and pass it to `fromNetworkConnector`. There is no managed connector without egress: use a VPC connector
 * whose security group allows nothing out.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-networking.html
 *
 * @example
 * declare const code: MicrovmCode;
 * declare const connector: lambda.NetworkConnector;
 * new MicrovmImage(this, 'Image', {
 *   code,
 *   egressConnector: MicrovmConnector.fromNetworkConnector(connector),
 * });
 */
export class MicrovmConnector {
  /** Ingress: a public HTTPS endpoint that wants a token. What a launch gets that names no ingress connector. */
  public static readonly HTTP_INGRESS = MicrovmConnector._managed('HTTP_INGRESS');

  /** Ingress: every managed way in but the shell. Cannot be combined with other ingress connectors. */
  public static readonly ALL_INGRESS = MicrovmConnector._managed('ALL_INGRESS');

  /** Ingress: a shell in the MicroVM. Combine it with `HTTP_INGRESS` to have both. */
  public static readonly SHELL_INGRESS = MicrovmConnector._managed('SHELL_INGRESS');

  /** Ingress: no way in. Leaving ingress connectors out of a launch does not turn it off. */
  public static readonly NO_INGRESS = MicrovmConnector._managed('NO_INGRESS');

  /** Egress: the internet. What an image gets that names no connector. */
  public static readonly INTERNET_EGRESS = MicrovmConnector._managed('INTERNET_EGRESS');

  /**
   * A connector of this account, such as a `lambda.NetworkConnector`.
   *
   * @param connector its compute type must be `MICRO_VM`: an error when the connector is defined in this app for
   * another one.
   */
  public static fromNetworkConnector(connector: lambda.INetworkConnectorRef): MicrovmConnector {
    const computeTypes = computeTypesOf(connector);
    if (computeTypes && !computeTypes.includes(lambda.NetworkConnectorComputeType.MICRO_VM)) {
      throw new ValidationError(
        lit`MicrovmConnectorComputeType`,
        `network connector must have the compute type '${lambda.NetworkConnectorComputeType.MICRO_VM}', got '${computeTypes.join(', ')}'; ` +
        'a connector serves one compute type, so make one for MicroVMs',
        connector,
      );
    }
    return new MicrovmConnector(() => connector.networkConnectorRef.networkConnectorArn, computeTypes ? EGRESS : undefined);
  }

  /**
   * A connector known by its ARN.
   *
   * @param arn `arn:<partition>:lambda:<region>:<account>:network-connector:<id>`. A bare name is an error.
   */
  public static fromArn(arn: string): MicrovmConnector {
    if (Token.isUnresolved(arn)) {
      return new MicrovmConnector(() => arn, undefined);
    }
    if (!CONNECTOR_ARN.test(arn)) {
      throw new UnscopedValidationError(
        lit`MicrovmConnectorArn`,
        `network connector ARN must have the form 'arn:<partition>:lambda:<region>:<account>:network-connector:<id>', got '${arn}'`,
      );
    }
    return new MicrovmConnector(() => arn, /_INGRESS$/.test(arn) ? INGRESS : EGRESS);
  }

  /** One managed by AWS, of the partition and region that uses it. @internal */
  public static _managed(name: string): MicrovmConnector {
    return new MicrovmConnector((scope) => formatManagedConnectorArn(Stack.of(scope), name), /_INGRESS$/.test(name) ? INGRESS : EGRESS);
  }

  private constructor(private readonly format: (scope: IConstruct) => string, private readonly direction: string | undefined) {}

  /**
   * The ARN of the connector, for code that launches MicroVMs.
   *
   * @param scope a construct of the stack that uses it: a managed connector has an ARN of its own in every region
   */
  public arnIn(scope: IConstruct): string {
    return this.format(scope);
  }

  /** Unknown for one that only deployment will tell. @internal */
  public get _isIngress(): boolean {
    return this.direction === INGRESS;
  }

  /** Unknown for one that only deployment will tell. @internal */
  public get _isEgress(): boolean {
    return this.direction === EGRESS;
  }
}

/** Known only when the connector is a construct of this app. */
function computeTypesOf(connector: lambda.INetworkConnectorRef): string[] | undefined {
  const resource = lambda.NetworkConnector.isNetworkConnector(connector) ? connector.resource : connector;
  if (!lambda.CfnNetworkConnector.isCfnNetworkConnector(resource)) {
    return undefined;
  }
  const configuration = Stack.of(resource).resolve(resource.configuration);
  return configuration?.vpcEgressConfiguration?.associatedComputeResourceTypes;
}

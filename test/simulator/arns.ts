import { accessDenied, validationError } from './service-error';

const MANAGED_CONNECTORS: Record<string, 'ingress' | 'egress'> = {
  HTTP_INGRESS: 'ingress',
  ALL_INGRESS: 'ingress',
  SHELL_INGRESS: 'ingress',
  NO_INGRESS: 'ingress',
  INTERNET_EGRESS: 'egress',
};

/** ARNs of one account and region (2.1, 2.2). */
export class Arns {
  private readonly prefix: string;

  constructor(public readonly partition: string, public readonly region: string, public readonly accountId: string) {
    this.prefix = `arn:${partition}:lambda:${region}`;
  }

  public image(name: string): string {
    return `${this.prefix}:${this.accountId}:microvm-image:${name}`;
  }

  public managedImage(name: string): string {
    return `${this.prefix}:aws:microvm-image:${name}`;
  }

  public managedConnector(name: string): string {
    return `${this.prefix}:aws:network-connector:aws-network-connector:${name}`;
  }

  /** The name in an image identifier. Only the full colon-form ARN of the own account is one (2.1, 3.2). */
  public imageName(identifier: string, operation: string): string {
    if (!identifier.startsWith('arn:')) {
      throw validationError(operation === 'RunMicrovm' || operation === 'ListMicrovmImageBuilds' || operation === 'ListMicrovms'
        ? `Malformed ARN - doesn't start with 'arn:': ${identifier}`
        : `Invalid ARN format: ${identifier}`);
    }
    const own = `${this.prefix}:${this.accountId}:microvm-image:`;
    const name = identifier.slice(own.length);
    if (!identifier.startsWith(own) || !/^[a-zA-Z0-9\-_]+$/.test(name)) {
      throw accessDenied(operation, identifier);
    }
    return name;
  }

  public checkConnector(arn: string, direction: 'ingress' | 'egress'): void {
    const managed = this.managedConnector('');
    if (arn.startsWith(managed)) {
      const name = arn.slice(managed.length);
      if (!(name in MANAGED_CONNECTORS)) {
        throw validationError(`Unrecognized managed network connector ARN: ${arn}`);
      }
      if (MANAGED_CONNECTORS[name] !== direction) {
        throw validationError(`Network connector ${arn} cannot be used for ${direction}`);
      }
    } else if (!/^arn:[^:]+:lambda:[^:]+:\d{12}:network-connector:[a-zA-Z0-9\-_]+(:[1-9][0-9]*)?$/.test(arn)) {
      throw validationError('Malformed network connector ARN');
    } else if (!arn.startsWith(`${this.prefix}:${this.accountId}:`)) {
      throw accessDenied('PassNetworkConnector', arn);
    } else if (direction === 'ingress') {
      // Customer connectors are VPC_EGRESS only (2.2).
      throw validationError(`Network connector ${arn} cannot be used for ingress`);
    }
  }
}

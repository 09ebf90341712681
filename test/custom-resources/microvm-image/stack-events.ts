import { randomUUID } from 'crypto';
import { CloudFormationResponse, ProviderFramework } from './provider-framework';
import { encodeProperties, ImageProperties, RunningMicrovms } from '../../../src/custom-resources/microvm-image/contract';

/** CloudFormation hands every scalar over as a string. */
export function stringified(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(stringified);
  }
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined).map(([key, entry]) => [key, stringified(entry)]))
    : String(value);
}

export function imageProperties(overrides: Partial<ImageProperties> = {}): ImageProperties {
  return {
    imageName: 'app-1234abcd-image-5678efab',
    baseImageArn: 'arn:aws:lambda:us-east-1:aws:microvm-image:al2023-1',
    buildRoleArn: 'arn:aws:iam::000000000000:role/build',
    codeArtifactUri: 's3://assets/v1.zip',
    minimumMemoryInMiB: 2048,
    egressNetworkConnectors: ['arn:aws:lambda:us-east-1:aws:network-connector:aws-network-connector:INTERNET_EGRESS'],
    additionalOsCapabilities: [],
    environmentVariables: {},
    logging: { disabled: false, logGroup: '/aws/lambda-microvms/app-1234abcd-image-5678efab' },
    tags: {},
    runningMicrovms: RunningMicrovms.FAIL,
    ...overrides,
  };
}

/**
 * One image resource of one stack, as CloudFormation drives it: it remembers the physical id and the properties last
 * sent, swaps them for a rollback, and deletes what a replacement or a failed create left behind.
 */
export class StackResource {
  public physicalId?: string;
  private properties?: ImageProperties;

  constructor(
    private readonly framework: ProviderFramework,
    private readonly stackId = 'arn:aws:cloudformation:us-east-1:000000000000:stack/App/11111111-2222-3333-4444-555555555555',
    private readonly logicalId = 'Image',
  ) {}

  /** Creates the resource; when that fails, sends the Delete that CloudFormation sends. */
  public async create(properties: ImageProperties): Promise<CloudFormationResponse> {
    const response = await this.send('Create', properties);
    if (response.Status === 'FAILED') {
      await this.send('Delete', properties, undefined, response.PhysicalResourceId);
    } else {
      this.physicalId = response.PhysicalResourceId;
      this.properties = properties;
    }
    return response;
  }

  /** Updates the resource. A replaced one is deleted in the clean-up phase. */
  public async update(properties: ImageProperties): Promise<CloudFormationResponse> {
    const before = this.properties!;
    const response = await this.send('Update', properties, before, this.physicalId);
    if (response.Status === 'SUCCESS') {
      this.properties = properties;
      if (response.PhysicalResourceId !== this.physicalId) {
        await this.send('Delete', before, undefined, this.physicalId);
        this.physicalId = response.PhysicalResourceId;
      }
    }
    return response;
  }

  /** The Update that takes the resource back, after it or a sibling failed. */
  public async rollBack(from: ImageProperties, to: ImageProperties, physicalId = this.physicalId): Promise<CloudFormationResponse> {
    const response = await this.send('Update', to, from, physicalId);
    this.properties = to;
    return response;
  }

  public async delete(): Promise<CloudFormationResponse> {
    return this.send('Delete', this.properties!, undefined, this.physicalId);
  }

  /** Any request, for what CloudFormation does out of order. */
  public async send(
    type: 'Create' | 'Update' | 'Delete', properties: ImageProperties, old?: ImageProperties, physicalId?: string, requestId: string = randomUUID(),
  ): Promise<CloudFormationResponse> {
    return this.framework.handle({
      RequestType: type,
      RequestId: requestId,
      StackId: this.stackId,
      LogicalResourceId: this.logicalId,
      PhysicalResourceId: physicalId,
      ResourceProperties: stringified({ ServiceToken: 'token', ...encodeProperties(properties) }) as Record<string, unknown>,
      OldResourceProperties: old && stringified({ ServiceToken: 'token', ...encodeProperties(old) }) as Record<string, unknown>,
    });
  }
}

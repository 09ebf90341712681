import { RESOURCE_TYPE } from '../../custom-resources/microvm-image/contract';

/** Where a template is deployed. What is not known is a placeholder, the same one everywhere. */
export interface Place {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
}

/** The types of resource that are an image: built by this library's handler, and by CloudFormation itself. */
export const CUSTOM_IMAGE = RESOURCE_TYPE;
export const NATIVE_IMAGE = 'AWS::Lambda::MicrovmImage';

interface NamingRule {
  /** The property that names it. */
  readonly name?: string;
  /** The property with the path before its name. */
  readonly path?: string;
  /** Attributes with the ARN, beside what `Ref` gives. */
  readonly arnAttributes: string[];
  /** Whether `Ref` gives the ARN instead of the name. */
  readonly refIsArn?: boolean;
  arn(place: Place, name: string, path: string): string;
}

const regional = (service: string, resource: string) => ({ partition, region, account }: Place, name: string) =>
  `arn:${partition}:${service}:${region}:${account}:${resource}${name}`;
const iam = (resource: string) => ({ partition, account }: Place, name: string, path: string) =>
  `arn:${partition}:iam::${account}:${resource}${path}${name}`;

/** How the resources that policies and launches are about get their ARNs. Others have a placeholder. */
const RULES: Record<string, NamingRule> = {
  'AWS::IAM::Role': { name: 'RoleName', path: 'Path', arnAttributes: ['Arn'], arn: iam('role') },
  'AWS::IAM::User': { name: 'UserName', path: 'Path', arnAttributes: ['Arn'], arn: iam('user') },
  'AWS::IAM::Group': { name: 'GroupName', path: 'Path', arnAttributes: ['Arn'], arn: iam('group') },
  'AWS::IAM::ManagedPolicy': { name: 'ManagedPolicyName', path: 'Path', arnAttributes: ['PolicyArn'], refIsArn: true, arn: iam('policy') },
  [NATIVE_IMAGE]: { name: 'Name', arnAttributes: ['ImageArn'], refIsArn: true, arn: regional('lambda', 'microvm-image:') },
  [CUSTOM_IMAGE]: { name: 'ImageName', arnAttributes: ['ImageArn'], refIsArn: true, arn: regional('lambda', 'microvm-image:') },
  // Its id is the service's, whatever its name is.
  'AWS::Lambda::NetworkConnector': { arnAttributes: ['Arn'], refIsArn: true, arn: regional('lambda', 'network-connector:') },
  'AWS::Lambda::Function': { name: 'FunctionName', arnAttributes: ['Arn'], arn: regional('lambda', 'function:') },
  'AWS::Logs::LogGroup': { name: 'LogGroupName', arnAttributes: [], arn: regional('logs', 'log-group:') },
  'AWS::S3::Bucket': { name: 'BucketName', arnAttributes: ['Arn'], arn: ({ partition }, name) => `arn:${partition}:s3:::${name}` },
  'AWS::ECR::Repository': { name: 'RepositoryName', arnAttributes: ['Arn'], arn: regional('ecr', 'repository/') },
  'AWS::KMS::Key': { arnAttributes: ['Arn'], arn: regional('kms', 'key/') },
  'AWS::SSM::Parameter': { name: 'Name', arnAttributes: [], arn: (place, name) => regional('ssm', 'parameter/')(place, name.replace(/^\//, '')) },
  'AWS::StepFunctions::StateMachine': { name: 'StateMachineName', arnAttributes: ['Arn'], refIsArn: true, arn: regional('states', 'stateMachine:') },
};

/** What a resource is called once it is deployed. */
export class PhysicalName {
  private readonly rule?: NamingRule;

  /**
   * @param property reads a property of the resource, intrinsic functions resolved
   * @param generated the name CloudFormation gives when the template gives none
   */
  constructor(
    private readonly type: string,
    private readonly place: Place,
    private readonly property: (name: string) => unknown,
    private readonly generated: string,
  ) {
    this.rule = RULES[type];
  }

  public get name(): string {
    const name = this.rule?.name === undefined ? undefined : this.property(this.rule.name);
    return typeof name === 'string' ? name : this.generated;
  }

  /** Undefined for types whose ARN is not known here. */
  public get arn(): string | undefined {
    const path = this.rule?.path === undefined ? undefined : this.property(this.rule.path);
    return this.rule?.arn(this.place, this.name, typeof path === 'string' ? path : '/');
  }

  public get ref(): string {
    return this.rule?.refIsArn ? this.arn! : this.name;
  }

  public attribute(attribute: string): string {
    if (this.rule?.arnAttributes.includes(attribute)) {
      return this.arn!;
    }
    switch (`${this.type}.${attribute}`) {
      case `${CUSTOM_IMAGE}.ImageName`: return this.name;
      case 'AWS::Logs::LogGroup.Arn': return `${this.arn}:*`;
      default: return `\${${this.generated}.${attribute}}`;
    }
  }
}

import { ImageSettings } from './private/image-settings';
import { asList, asText } from './private/intrinsic-functions';
import { Launch } from './private/launches';
import { Subjects } from './private/rules/rule';
import { SynthesizedResource } from './private/synthesized-template';

/**
 * A resource of a template, for a rule of your own.
 *
 * Values are read with intrinsic functions resolved as far as a template tells. What only a deployment can tell is a
 * placeholder such as `${Stack-Queue.Arn}`, the same wherever the same thing is meant.
 */
export class MicrovmPolicyResource {
  /** Its CloudFormation type. */
  public readonly resourceType: string;

  /** Its logical id. */
  public readonly logicalId: string;

  /** @internal */
  public readonly _resource: SynthesizedResource;

  /** @internal */
  constructor(resource: SynthesizedResource) {
    this._resource = resource;
    this.resourceType = resource.type;
    this.logicalId = resource.logicalId;
  }

  /**
   * Reads one value.
   *
   * @param path names of properties and indexes of lists, such as `Logging.CloudWatch.LogGroup` or `Resources.0.MinimumMemoryInMiB`
   * @returns the value as text, an object or a list as JSON; undefined when it is not there
   */
  public text(path: string): string | undefined {
    const value = this.at(path);
    return value === undefined || value === null ? undefined : asText(value);
  }

  /**
   * Reads a list of values.
   *
   * @param path names of properties and indexes of lists, such as `EgressNetworkConnectors`
   * @returns the values as text; a single value is a list of one; empty when it is not there
   */
  public texts(path: string): string[] {
    return asList(this.at(path)).map(asText);
  }

  private at(path: string): unknown {
    return path.split('.').reduce<any>((value, key) => value?.[key], this._resource.properties);
  }
}

/**
 * An image of a template, for a rule of your own: read the same whether `MicrovmImage` or a bare `CfnMicrovmImage` defines it.
 */
export class MicrovmPolicyImage extends MicrovmPolicyResource {
  /** The name of the image. */
  public readonly imageName: string;

  /** The ARN of the image. */
  public readonly imageArn: string;

  /** The ARN of the base image. */
  public readonly baseImageArn: string;

  /** The version of the base image. Undefined: the newest when a build starts. */
  public readonly baseImageVersion?: string;

  /** The role it is built with. */
  public readonly buildRoleArn?: string;

  /** Where its code is. */
  public readonly artifactUri?: string;

  /** Its memory, in MiB. */
  public readonly memoryMiB: number;

  /** Its network connectors. */
  public readonly egressConnectorArns: string[];

  /** The capabilities it has beyond the usual. */
  public readonly osCapabilities: string[];

  /** The names of its environment variables. Values can be secret, and are not here. */
  public readonly environmentKeys: string[];

  /** The hooks it has: `ready`, `validate`, `run`, `resume`, `suspend`, `terminate`. */
  public readonly hooks: string[];

  /** Where its builds log to. Undefined when the service decides, or when logging is off. */
  public readonly logGroupName?: string;

  /** Its tags. */
  public readonly tags: Record<string, string>;

  /** @internal */
  constructor(image: ImageSettings) {
    super(image.resource);
    this.imageName = image.name;
    this.imageArn = image.arn;
    this.baseImageArn = image.baseImageArn;
    this.baseImageVersion = image.baseImageVersion;
    this.buildRoleArn = image.buildRoleArn;
    this.artifactUri = image.artifactUri;
    this.memoryMiB = image.memoryMiB;
    this.egressConnectorArns = image.egressConnectorArns;
    this.osCapabilities = image.osCapabilities;
    this.environmentKeys = image.environment.map(({ key }) => key);
    this.hooks = image.hooks;
    this.logGroupName = image.logGroupName;
    this.tags = image.tags;
  }
}

/**
 * A resource that launches MicroVMs or holds the settings of a launch, for a rule of your own: a function, a task definition, an SSM
 * parameter, a state machine, a schedule.
 */
export class MicrovmPolicyLaunch extends MicrovmPolicyResource {
  /** The image it launches. Undefined when that is decided at the launch. */
  public readonly imageArn?: string;

  /** The version it launches. Undefined when none is named, or when it is decided at the launch. */
  public readonly imageVersion?: string;

  /** The role the MicroVMs run with. */
  public readonly executionRoleArn?: string;

  /** How the MicroVMs can be reached. Undefined when nothing is said, which makes them public. */
  public readonly ingressConnectorArns?: string[];

  /** What the MicroVMs can reach. Undefined when they have what the image has. */
  public readonly egressConnectorArns?: string[];

  /** Where the settings are in the resource. */
  public readonly location: string;

  /** @internal */
  constructor(launch: Launch) {
    super(launch.resource);
    this.imageArn = launch.imageArn;
    this.imageVersion = launch.imageVersion;
    this.executionRoleArn = launch.executionRoleArn;
    this.ingressConnectorArns = launch.ingressConnectorArns;
    this.egressConnectorArns = launch.egressConnectorArns;
    this.location = launch.location;
  }
}

/**
 * What the templates of an app hold, for a rule of your own.
 */
export class MicrovmPolicySubjects {
  /** Images, whoever builds them. */
  public readonly images: MicrovmPolicyImage[];

  /** What launches MicroVMs. */
  public readonly launches: MicrovmPolicyLaunch[];

  private readonly subjects: Subjects;

  /** @internal */
  constructor(subjects: Subjects) {
    this.subjects = subjects;
    this.images = subjects.images.map((image) => new MicrovmPolicyImage(image));
    this.launches = subjects.launches.map((launch) => new MicrovmPolicyLaunch(launch));
  }

  /**
   * The resources of a CloudFormation type, in all templates of the app.
   *
   * @param resourceType such as `AWS::IAM::Role`
   */
  public resourcesOfType(resourceType: string): MicrovmPolicyResource[] {
    return this.subjects.app.ofType(resourceType).map((resource) => new MicrovmPolicyResource(resource));
  }
}

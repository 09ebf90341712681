/**
 * A resource of a template, for a rule of your own.
 *
 * Values are read with intrinsic functions resolved as far as a template tells. What only a deployment can tell is a
 * placeholder such as `${Stack-Queue.Arn}`, the same wherever the same thing is meant.
 */
export interface IMicrovmPolicyResource {
  /** Its CloudFormation type. */
  readonly resourceType: string;

  /** Its logical id. */
  readonly logicalId: string;

  /** The file its template is in. */
  readonly templatePath: string;

  /**
   * Reads one value.
   *
   * @param path names of properties and indexes of lists, such as `Logging.CloudWatch.LogGroup` or `Resources.0.MinimumMemoryInMiB`
   * @returns the value as text, an object or a list as JSON; undefined when it is not there
   */
  text(path: string): string | undefined;

  /**
   * Reads a list of values.
   *
   * @param path names of properties and indexes of lists, such as `EgressNetworkConnectors`
   * @returns the values as text; a single value is a list of one; empty when it is not there
   */
  texts(path: string): string[];
}

/**
 * An image of a template, for a rule of your own: read the same whether `MicrovmImage` or a bare `CfnMicrovmImage` defines it.
 */
export interface IMicrovmPolicyImage extends IMicrovmPolicyResource {
  /** The name of the image. */
  readonly imageName: string;

  /** The ARN of the image. */
  readonly imageArn: string;

  /** The ARN of the base image. */
  readonly baseImageArn: string;

  /** The version of the base image. Undefined: the newest when a build starts. */
  readonly baseImageVersion?: string;

  /** The role it is built with. */
  readonly buildRoleArn?: string;

  /** Where its code is. */
  readonly artifactUri?: string;

  /** Its memory, in MiB. */
  readonly memoryMiB: number;

  /** Its network connectors. */
  readonly egressConnectorArns: string[];

  /** The capabilities it has beyond the usual. */
  readonly osCapabilities: string[];

  /** The names of its environment variables. Values can be secret, and are not here. */
  readonly environmentKeys: string[];

  /** The hooks it has: `ready`, `validate`, `run`, `resume`, `suspend`, `terminate`. */
  readonly hooks: string[];

  /** Where its builds log to. Undefined when the service decides, or when logging is off. */
  readonly logGroupName?: string;

  /** Its tags. */
  readonly tags: Record<string, string>;
}

/**
 * A resource that launches MicroVMs or holds the settings of a launch, for a rule of your own: a function, a task definition, an SSM
 * parameter, a state machine, a schedule.
 */
export interface IMicrovmPolicyLaunch extends IMicrovmPolicyResource {
  /** Where the settings are in the resource. */
  readonly location: string;

  /** The image it launches. Undefined when that is decided at the launch. */
  readonly imageArn?: string;

  /** The version it launches. Undefined when none is named, or when it is decided at the launch. */
  readonly imageVersion?: string;

  /** The role the MicroVMs run with. */
  readonly executionRoleArn?: string;

  /** How the MicroVMs can be reached. Undefined when nothing is said, which makes them public. */
  readonly ingressConnectorArns?: string[];

  /** What the MicroVMs can reach. Undefined when they have what the image has. */
  readonly egressConnectorArns?: string[];
}

/**
 * What the templates of an app hold, for a rule of your own.
 */
export interface IMicrovmPolicySubjects {
  /** Images, whoever builds them. */
  readonly images: IMicrovmPolicyImage[];

  /** What launches MicroVMs. */
  readonly launches: IMicrovmPolicyLaunch[];

  /**
   * The resources of a CloudFormation type, in all templates of the app.
   *
   * @param resourceType such as `AWS::IAM::Role`
   */
  resourcesOfType(resourceType: string): IMicrovmPolicyResource[];
}

import { IMicrovmPolicyImage, IMicrovmPolicyLaunch, IMicrovmPolicyResource, IMicrovmPolicySubjects } from '../microvm-policy-subjects';
import { ImageSettings } from './image-settings';
import { asList, asText } from './intrinsic-functions';
import { Launch } from './launches';
import { Subjects } from './rules/rule';
import { SynthesizedResource } from './synthesized-template';

/** The subjects, as rules from elsewhere see them. */
export class SubjectsForRules implements IMicrovmPolicySubjects {
  public readonly images: IMicrovmPolicyImage[];
  public readonly launches: IMicrovmPolicyLaunch[];

  constructor(private readonly subjects: Subjects) {
    this.images = subjects.images.map((image) => new ImageForRules(image));
    this.launches = subjects.launches.map((launch) => new LaunchForRules(launch));
  }

  public resourcesOfType(resourceType: string): IMicrovmPolicyResource[] {
    return this.subjects.app.ofType(resourceType).map((resource) => new ResourceForRules(resource));
  }
}

class ResourceForRules implements IMicrovmPolicyResource {
  public readonly resourceType: string;
  public readonly logicalId: string;
  public readonly templatePath: string;
  private readonly properties: Record<string, unknown>;

  constructor({ type, logicalId, templatePath, properties }: SynthesizedResource) {
    this.resourceType = type;
    this.logicalId = logicalId;
    this.templatePath = templatePath ?? '';
    this.properties = properties;
  }

  public text(path: string): string | undefined {
    const value = this.at(path);
    return value === undefined || value === null ? undefined : asText(value);
  }

  public texts(path: string): string[] {
    return asList(this.at(path)).map(asText);
  }

  private at(path: string): unknown {
    return path.split('.').reduce<any>((value, key) => value?.[key], this.properties);
  }
}

class ImageForRules extends ResourceForRules implements IMicrovmPolicyImage {
  public readonly imageName: string;
  public readonly imageArn: string;
  public readonly baseImageArn: string;
  public readonly baseImageVersion?: string;
  public readonly buildRoleArn?: string;
  public readonly artifactUri?: string;
  public readonly memoryMiB: number;
  public readonly egressConnectorArns: string[];
  public readonly osCapabilities: string[];
  public readonly environmentKeys: string[];
  public readonly hooks: string[];
  public readonly logGroupName?: string;
  public readonly tags: Record<string, string>;

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

class LaunchForRules extends ResourceForRules implements IMicrovmPolicyLaunch {
  public readonly location: string;
  public readonly imageArn?: string;
  public readonly imageVersion?: string;
  public readonly executionRoleArn?: string;
  public readonly ingressConnectorArns?: string[];
  public readonly egressConnectorArns?: string[];

  constructor(launch: Launch) {
    super(launch.resource);
    this.location = launch.location;
    this.imageArn = launch.imageArn;
    this.imageVersion = launch.imageVersion;
    this.executionRoleArn = launch.executionRoleArn;
    this.ingressConnectorArns = launch.ingressConnectorArns;
    this.egressConnectorArns = launch.egressConnectorArns;
  }
}

import { Archive, BuildProblem } from './artifact';
import { assembleContainer, Container } from './container';
import { Context } from './context';
import { GuestProcess } from './guest-process';
import { Guest, hookCallsOf } from './guests';
import { Image, ImageVersion } from './image';

/** Process mode: builds and MicroVMs with a process of this machine inside. */
export class GuestProcesses {
  private readonly containers = new WeakMap<ImageVersion, Container>();
  private readonly guests = new Set<GuestProcess>();

  /** @param overrides variables that win over those of images */
  constructor(private readonly context: Context, private readonly overrides: Readonly<Record<string, string>> = {}) {
  }

  /** @throws BuildProblem when the image starts nothing that can be a Node process. */
  public prepare(version: ImageVersion, archive: Archive): void {
    const container = assembleContainer(archive);
    const obstacle = GuestProcess.obstacle(container.command);
    if (obstacle) {
      const detail = `the simulator is in process mode, which starts Node programs only, and ${obstacle}`;
      throw new BuildProblem('container', detail, [`simulator: ${detail}`]);
    }
    this.containers.set(version, container);
  }

  /** Undefined for a version that was built without a process. */
  public start(image: Image, version: ImageVersion): Guest | undefined {
    const container = this.containers.get(version);
    if (!container) {
      return undefined;
    }
    const guest = new GuestProcess({
      container,
      hooks: hookCallsOf(version.config.hooks),
      environment: {
        ...version.config.environmentVariables,
        AWS_LAMBDA_MICROVM_IMAGE_NAME: image.name,
        AWS_LAMBDA_MICROVM_IMAGE_ARN: image.arn,
        AWS_LAMBDA_MICROVM_IMAGE_VERSION: version.imageVersion,
        AWS_REGION: this.context.arns.region,
        ...this.overrides,
      },
    });
    [...this.guests].filter(({ exitCode }) => exitCode !== undefined).forEach((ended) => this.guests.delete(ended));
    this.guests.add(guest);
    return guest;
  }

  public async endAll(): Promise<void> {
    await Promise.all([...this.guests].map((guest) => guest.end()));
    this.guests.clear();
  }
}

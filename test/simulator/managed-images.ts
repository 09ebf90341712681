import { Arns } from './arns';
import { validationError } from './service-error';

export interface ManagedVersion { imageVersion: string; createdAt: number; status: string; updatedAt?: number }

/** The managed base images (2.3). `publish` plays AWS releasing a new version. */
export class ManagedImages {
  /** Newest first, as the service lists them. */
  public readonly versions: ManagedVersion[] = [
    { imageVersion: '1', createdAt: Date.UTC(2026, 6, 21), status: 'AVAILABLE' },
    { imageVersion: '0', createdAt: Date.UTC(2026, 5, 17), status: 'AVAILABLE' },
  ];
  public readonly arn: string;

  constructor(arns: Arns) {
    this.arn = arns.managedImage('al2023-1');
  }

  public publish(imageVersion: string, createdAt: number): void {
    this.versions.unshift({ imageVersion, createdAt, status: 'AVAILABLE' });
  }

  /** AWS moves a version on in its life: DEPRECATED, EXPIRING, EXPIRED or RECALLED. */
  public retire(imageVersion: string, status: string, updatedAt: number): void {
    Object.assign(this.versions.find((each) => each.imageVersion === imageVersion)!, { status, updatedAt });
  }

  /** Bare integer in, `1.0` form out (2.3). */
  public resolve(arn: string, version: string | null | undefined): string {
    if (version && !/^\d+$/.test(version)) {
      throw validationError(`Invalid baseMicroVMImageVersion: ${version}. Expected a single major version number (e.g., 1).`);
    }
    const wanted = version ?? this.versions[0].imageVersion;
    if (arn !== this.arn || !this.versions.some((each) => each.imageVersion === wanted)) {
      throw validationError(`No managed MicroVM Image with arn ${arn} and version ${wanted} is available`);
    }
    return `${wanted}.0`;
  }
}

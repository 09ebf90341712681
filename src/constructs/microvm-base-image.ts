import { Token } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { formatBaseImageArn } from './private/arn';
import { lit, UnscopedValidationError } from './private/cdk-internals';

/**
 * Which version of a base image to build on, when it is not pinned.
 */
export interface MicrovmNewestBaseImageOptions {
  /**
   * A new value makes the next deployment look for a newer base image, and build on it.
   *
   * Without one, a new base image alone never causes a build: the next build that happens for another reason takes
   * the newest one there is.
   *
   * @default - a build for another reason takes the newest version
   */
  readonly refreshToken?: string;
}

/** What an engine needs to know of the base image. */
interface BaseImageSettings {
  readonly name: string;
  readonly arn: string;
  readonly version?: string;
  readonly refreshToken?: string;
}

/**
 * The base image managed by AWS that an image is built on: the operating system of the MicroVM, below the container.
 *
 * A value without `pinned()` or `newest()` means the newest version. Changing the base image builds a new version of
 * the image. AWS retires versions: a deprecated one can be built on for 60 more days.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-images.html
 *
 * @example
 * declare const code: MicrovmCode;
 * new MicrovmImage(this, 'Image', {
 *   code,
 *   baseImage: MicrovmBaseImage.AL2023_1.pinned('1'),
 * });
 */
export class MicrovmBaseImage {
  /** Amazon Linux 2023. */
  public static readonly AL2023_1 = MicrovmBaseImage.managed('al2023-1');

  /**
   * A base image managed by AWS that this class has no constant for.
   *
   * @param name its name: letters, digits, `-` and `_`. An ARN is an error.
   */
  public static managed(name: string): MicrovmBaseImage {
    if (!Token.isUnresolved(name) && !/^[a-zA-Z0-9-_]{1,64}$/.test(name)) {
      throw new UnscopedValidationError(
        lit`MicrovmBaseImageName`,
        `base image name must be 1 to 64 letters, digits, '-' and '_', such as 'al2023-1', got '${name}'; give the name, not the ARN`,
      );
    }
    return new MicrovmBaseImage(name, {});
  }

  private constructor(private readonly baseImageName: string, private readonly choice: { version?: string; refreshToken?: string }) {}

  /**
   * Always builds on this version.
   *
   * @param version a whole number such as `1`, as the service lists them. `1.0`, which the service answers with, is
   * refused by it as input and is an error here.
   */
  public pinned(version: string): MicrovmBaseImage {
    if (!Token.isUnresolved(version) && !/^\d+$/.test(version)) {
      const major = /^(\d+)\.\d+$/.exec(version)?.[1];
      throw new UnscopedValidationError(
        lit`MicrovmBaseImageVersion`,
        `base image version must be a whole number such as '1', got '${version}'${major ? `; use '${major}'` : ''}`,
      );
    }
    return new MicrovmBaseImage(this.baseImageName, { version });
  }

  /**
   * Builds on the newest version there is when a build starts.
   *
   * A newer base image does not by itself cause a build.
   */
  public newest(options: MicrovmNewestBaseImageOptions = {}): MicrovmBaseImage {
    if (options.refreshToken === '') {
      throw new UnscopedValidationError(
        lit`MicrovmBaseImageRefreshToken`,
        "refreshToken must be at least 1 character, got ''; leave it out to never refresh",
      );
    }
    return new MicrovmBaseImage(this.baseImageName, { refreshToken: options.refreshToken });
  }

  /** @internal */
  public _settings(scope: IConstruct): BaseImageSettings {
    return { name: this.baseImageName, arn: formatBaseImageArn(scope, this.baseImageName), ...this.choice };
  }
}

import { Size, SizeRoundingBehavior, Token } from 'aws-cdk-lib';
import { lit, UnscopedValidationError } from './private/cdk-internals';

const TIERS = [512, 1024, 2048, 4096, 8192];

/**
 * How much memory the MicroVMs of an image have, and with it CPU and disk.
 *
 * The size is a baseline that is always there and billed while a MicroVM runs. A MicroVM bursts to four times its
 * baseline on demand. It gets 1 vCPU for every 2 GiB of baseline, and 8 GB of disk up to 2 GiB, 16 GB at 4 GiB and
 * 32 GB at 8 GiB.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-images.html
 *
 * @example
 * declare const code: MicrovmCode;
 * new MicrovmImage(this, 'Image', { code, memory: MicrovmMemory.MIB_4096 });
 */
export class MicrovmMemory {
  /** 512 MiB, bursting to 2 GiB; 0.25 to 1 vCPU; 8 GB of disk. */
  public static readonly MIB_512 = new MicrovmMemory(512);

  /** 1 GiB, bursting to 4 GiB; 0.5 to 2 vCPU; 8 GB of disk. */
  public static readonly MIB_1024 = new MicrovmMemory(1024);

  /** 2 GiB, bursting to 8 GiB; 1 to 4 vCPU; 8 GB of disk. */
  public static readonly MIB_2048 = new MicrovmMemory(2048);

  /** 4 GiB, bursting to 16 GiB; 2 to 8 vCPU; 16 GB of disk. */
  public static readonly MIB_4096 = new MicrovmMemory(4096);

  /** 8 GiB, bursting to 32 GiB; 4 to 16 vCPU; 32 GB of disk. */
  public static readonly MIB_8192 = new MicrovmMemory(8192);

  /**
   * The baseline as a size, for one that is configured elsewhere.
   *
   * @param size 512, 1024, 2048, 4096 or 8192 MiB. Any other literal size is an error.
   */
  public static of(size: Size): MicrovmMemory {
    const mebibytes = size.toMebibytes({ rounding: SizeRoundingBehavior.NONE });
    if (!Token.isUnresolved(mebibytes) && !TIERS.includes(mebibytes)) {
      throw new UnscopedValidationError(
        lit`MicrovmMemoryTier`,
        `memory must be one of ${TIERS.join(', ')} MiB, got ${mebibytes} MiB; choose the next larger one`,
      );
    }
    return new MicrovmMemory(mebibytes);
  }

  /** The baseline in MiB. */
  public readonly mebibytes: number;

  private constructor(mebibytes: number) {
    this.mebibytes = mebibytes;
  }
}

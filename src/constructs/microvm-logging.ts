import { RemovalPolicy, Token } from 'aws-cdk-lib';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { lit, UnscopedValidationError } from './private/cdk-internals';
import { defaultLogGroupName } from './private/naming';

/**
 * A log group that belongs to the image.
 */
export interface MicrovmOwnedLogGroupOptions {
  /**
   * How long log events are kept.
   *
   * @default RetentionDays.ONE_MONTH
   */
  readonly retention?: logs.RetentionDays;

  /**
   * What happens to the log group when the image is removed from the stack.
   *
   * @default - the removal policy of the image
   */
  readonly removalPolicy?: RemovalPolicy;

  /**
   * The KMS key that encrypts the log group. Its policy must let CloudWatch Logs use it.
   *
   * @default - encrypted with a key of CloudWatch Logs
   */
  readonly encryptionKey?: kms.IKeyRef;

  /**
   * The log stream builds write to: 1 to 512 characters without `:` and `*`.
   *
   * @default - one log stream for each build
   */
  readonly logStream?: string;
}

/** Where an image logs to. */
interface BoundLogging {
  readonly disabled: boolean;
  /** Undefined when logging is off. */
  readonly group?: logs.ILogGroupRef;
  /** Known without a reference to the group, for policies. */
  readonly groupName?: string;
  readonly stream?: string;
}

/**
 * Where the builds of an image log to. Changing it builds a new version of the image.
 *
 * MicroVMs do not inherit it: a launch names its own log group, or gets `/aws/lambda-microvms/<image name>`.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-monitoring.html
 *
 * @example
 * declare const code: MicrovmCode;
 * new MicrovmImage(this, 'Image', {
 *   code,
 *   logging: MicrovmLogging.ownedLogGroup({ retention: logs.RetentionDays.ONE_WEEK }),
 * });
 */
export abstract class MicrovmLogging {
  /** A log group `/aws/lambda-microvms/<image name>`, made before the image and removed after it. */
  public static ownedLogGroup(options: MicrovmOwnedLogGroupOptions = {}): MicrovmLogging {
    const stream = options.logStream;
    if (stream !== undefined && !Token.isUnresolved(stream) && !/^[^:*]{1,512}$/.test(stream)) {
      throw new UnscopedValidationError(
        lit`MicrovmLoggingStream`,
        `logStream must be 1 to 512 characters without ':' and '*', got '${stream}'`,
      );
    }
    return new OwnedLogGroup(options);
  }

  /**
   * No build logs. When a build fails, the deployment can only tell the service's own short reason.
   */
  public static disabled(): MicrovmLogging {
    return new DisabledLogging();
  }

  /** @internal */
  public abstract _bind(scope: Construct, imageName: string, imageRemovalPolicy: RemovalPolicy): BoundLogging;
}

class OwnedLogGroup extends MicrovmLogging {
  constructor(private readonly options: MicrovmOwnedLogGroupOptions) {
    super();
  }

  public _bind(scope: Construct, imageName: string, imageRemovalPolicy: RemovalPolicy): BoundLogging {
    const groupName = defaultLogGroupName(imageName);
    const group = new logs.LogGroup(scope, 'LogGroup', {
      logGroupName: groupName,
      retention: this.options.retention ?? logs.RetentionDays.ONE_MONTH,
      removalPolicy: this.options.removalPolicy ?? imageRemovalPolicy,
      encryptionKey: this.options.encryptionKey,
    });
    return { disabled: false, group, groupName, stream: this.options.logStream };
  }
}

class DisabledLogging extends MicrovmLogging {
  public _bind(): BoundLogging {
    return { disabled: true };
  }
}

import { CfnTag } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { ImageRequest } from './image-request';
import { HookProperties, LoggingProperties } from '../../custom-resources/microvm-image/contract';

export interface CloudFormationImageProps {
  readonly settings: ImageRequest['settings'];
  readonly baseImageVersion: string;
  readonly kmsKeyIdentifier?: string;
  /** Beyond those of the settings. */
  readonly tags: CfnTag[];
}

/**
 * The image in the template, when CloudFormation itself builds it. The resource requires every setting, also those the
 * service has defaults for.
 */
export function cloudFormationImage(scope: Construct, id: string, props: CloudFormationImageProps): lambda.CfnMicrovmImage {
  const { settings } = props;
  return new lambda.CfnMicrovmImage(scope, id, {
    name: settings.imageName,
    description: settings.description ?? '',
    baseImageArn: settings.baseImageArn,
    baseImageVersion: props.baseImageVersion,
    buildRoleArn: settings.buildRoleArn,
    codeArtifact: { uri: settings.codeArtifactUri },
    logging: loggingOf(settings.logging),
    egressNetworkConnectors: settings.egressNetworkConnectors,
    cpuConfigurations: [{ architecture: 'ARM_64' }],
    resources: [{ minimumMemoryInMiB: settings.minimumMemoryInMiB }],
    additionalOsCapabilities: settings.additionalOsCapabilities,
    hooks: settings.hooks ? hooksOf(settings.hooks) : {},
    environmentVariables: Object.entries(settings.environmentVariables).map(([key, value]) => ({ key, value })),
    kmsKeyIdentifier: props.kmsKeyIdentifier,
    tags: [...Object.entries(settings.tags).map(([key, value]) => ({ key, value })), ...props.tags],
  });
}

function loggingOf({ disabled, logGroup, logStream }: LoggingProperties): lambda.CfnMicrovmImage.LoggingProperty {
  return disabled ? { disabled } : { cloudWatch: { logGroup, logStream } };
}

/** A hook without a timeout is one the code does not have. */
function hooksOf(hooks: HookProperties): lambda.CfnMicrovmImage.HooksProperty {
  const state = (seconds?: number) => (seconds === undefined ? 'DISABLED' : 'ENABLED');
  return {
    port: hooks.port,
    microvmImageHooks: {
      ready: state(hooks.readySeconds),
      readyTimeoutInSeconds: hooks.readySeconds,
      validate: state(hooks.validateSeconds),
      validateTimeoutInSeconds: hooks.validateSeconds,
    },
    microvmHooks: {
      run: state(hooks.runSeconds),
      runTimeoutInSeconds: hooks.runSeconds,
      resume: state(hooks.resumeSeconds),
      resumeTimeoutInSeconds: hooks.resumeSeconds,
      suspend: state(hooks.suspendSeconds),
      suspendTimeoutInSeconds: hooks.suspendSeconds,
      terminate: state(hooks.terminateSeconds),
      terminateTimeoutInSeconds: hooks.terminateSeconds,
    },
  };
}

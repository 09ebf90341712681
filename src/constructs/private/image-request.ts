import { CfnResource } from 'aws-cdk-lib';
import { IFunction } from 'aws-cdk-lib/aws-lambda';
import { EngineProperties, ImageProperties } from '../../custom-resources/microvm-image/contract';
import { ImagePermissions } from '../../custom-resources/microvm-image-provider';

/** What a `MicrovmImage` asks of its engine. */
export interface ImageRequest {
  readonly settings: Omit<ImageProperties, keyof EngineProperties>;
  readonly permissions: Omit<ImagePermissions, 'terminatesMicrovms'>;
  /** The user gave the log group. */
  readonly logGroupIsGiven: boolean;
  /** Where to put events about builds. Resolves to nothing as long as nobody wants them. */
  readonly eventBusArn: string;
}

/** The deployed functions that a refresh runs. */
export interface RefreshHandlers {
  readonly onEvent: IFunction;
  readonly isComplete: IFunction;
}

/** What the engine answers. */
export interface ImageResource {
  readonly resource: CfnResource;
  readonly imageName: string;
  readonly imageVersion: string;
  readonly baseImageVersion: string;
  /** Events and metrics tell of its builds. */
  readonly reportsBuilds: boolean;
  /** What builds it on a newer base image between deployments, if the engine can. */
  readonly handlers?: RefreshHandlers;
  /** What a Lambda function must be handed at deploy time, as it goes into the template, references unresolved. */
  readonly handedOver?: Record<string, unknown>;
  /** Every tag the user would give the image, known once the tags of the whole app are applied. */
  tags(): Record<string, string>;
}

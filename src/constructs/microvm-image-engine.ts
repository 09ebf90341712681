import { Construct } from 'constructs';
import { CustomImageResource } from './private/custom-image-resource';
import { ImageRequest, ImageResource } from './private/image-request';
import { VersionReference } from './private/version-reference';
import { RunningMicrovms as RunningMicrovmsProperty } from '../custom-resources/microvm-image/contract';
import { MicrovmImageProvider } from '../custom-resources/microvm-image-provider';

/**
 * What a delete of an image does about MicroVMs that still run from it. The service deletes no image with running
 * or suspended MicroVMs.
 */
export enum RunningMicrovms {
  /** Refuse, and name them. */
  FAIL = 'FAIL',
  /** Terminate them, with whatever they hold. */
  TERMINATE = 'TERMINATE',
}

/**
 * Options of the custom engine.
 */
export interface CustomEngineOptions {
  /**
   * What a delete of the image does about MicroVMs that still run from it.
   *
   * `TERMINATE` lets the stack's handler terminate the MicroVMs of every image of the stack (`lambda:TerminateMicrovm`).
   *
   * @default RunningMicrovms.FAIL
   */
  readonly runningMicrovms?: RunningMicrovms;
}

/**
 * What builds and keeps an image at deploy time.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/microvms-images.html
 *
 * @example
 * declare const code: MicrovmCode;
 * new MicrovmImage(this, 'Image', {
 *   code,
 *   engine: MicrovmImageEngine.custom({ runningMicrovms: RunningMicrovms.TERMINATE }),
 * });
 */
export abstract class MicrovmImageEngine {
  /**
   * A custom resource of this library: it waits until the image is built and usable, tells why a build failed, returns
   * the exact version, and never builds to roll back.
   *
   * Adds one set of Lambda functions and a state machine to the stack, shared by all its images. An operation may take
   * up to 55 minutes.
   */
  public static custom(options: CustomEngineOptions = {}): MicrovmImageEngine {
    return new CustomEngine(options);
  }

  /** @internal */
  public abstract _createImage(scope: Construct, request: ImageRequest): ImageResource;
}

class CustomEngine extends MicrovmImageEngine {
  constructor(private readonly options: CustomEngineOptions) {
    super();
  }

  public _createImage(scope: Construct, request: ImageRequest): ImageResource {
    const terminate = this.options.runningMicrovms === RunningMicrovms.TERMINATE;
    const provider = MicrovmImageProvider.getOrCreate(scope);
    provider.allow({ ...request.permissions, terminatesMicrovms: terminate });
    const resource = new CustomImageResource(scope, 'Resource', {
      serviceToken: provider.serviceToken,
      image: {
        ...request.settings,
        runningMicrovms: terminate ? RunningMicrovmsProperty.TERMINATE : RunningMicrovmsProperty.FAIL,
      },
    });
    return {
      resource,
      imageName: resource.getAtt('ImageName').toString(),
      imageVersion: new VersionReference(resource, 'ImageVersion', () => ({ ...resource.properties, Tags: undefined })).toString(),
      baseImageVersion: resource.getAtt('BaseImageVersion').toString(),
      properties: resource.properties,
      tags: () => resource.cdkTagManager.tagValues(),
    };
  }
}

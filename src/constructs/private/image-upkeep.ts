import { Aspects, Aws, CfnResource, Fn, Lazy } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { SERVICE_TIMEOUT_SECONDS } from './custom-image-resource';
import { contentDigest } from './version-reference';
import { encodeUpkeep, Tag, UPKEEP_RESOURCE_TYPE, UpkeepProperties } from '../../custom-resources/microvm-image/contract';

export interface ImageUpkeepProps {
  readonly serviceToken: string;
  readonly image: CfnResource;
  readonly upkeep: Omit<UpkeepProperties, 'content'>;
  /** What a new version is built from, as it stands in the template. */
  readonly content: () => unknown;
}

/** What looks after an image that CloudFormation builds: deletes old versions after a build, and clears MicroVMs before a delete. */
export class ImageUpkeep extends CfnResource {
  /** On the image: what the handler's policy reaches it by. Explicit names have left the policy when their images are cleaned up. */
  public static readonly IMAGE_TAG = { key: Tag.UPKEEP, value: Fn.select(2, Fn.split('/', Aws.STACK_ID)) };

  constructor(scope: Construct, id: string, props: ImageUpkeepProps) {
    super(scope, id, {
      type: UPKEEP_RESOURCE_TYPE,
      properties: {
        ServiceToken: props.serviceToken,
        ServiceTimeout: SERVICE_TIMEOUT_SECONDS,
        ...encodeUpkeep({ ...props.upkeep, content: Lazy.string({ produce: () => contentDigest(this, props.content()) }) }),
      },
    });
    // After the image on its way up, before it on its way down.
    this.addResourceDependency(props.image);
    // An image that is retained keeps its MicroVMs.
    Aspects.of(this).add({
      visit: () => Object.assign(this.cfnOptions, {
        deletionPolicy: props.image.cfnOptions.deletionPolicy,
        updateReplacePolicy: props.image.cfnOptions.updateReplacePolicy,
      }),
    });
  }
}

import { CfnResource, ITaggableV2, TagManager, TagType } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { encodeProperties, ImageProperties, RESOURCE_TYPE } from '../../custom-resources/microvm-image/contract';

/** The time CloudFormation waits for an answer: the longest it allows. */
export const SERVICE_TIMEOUT_SECONDS = 3600;

export interface CustomImageResourceProps {
  readonly serviceToken: string;
  readonly image: ImageProperties;
}

/** The image in the template, when the custom engine builds it. Unlike `CustomResource` it takes part in `Tags.of()`. */
export class CustomImageResource extends CfnResource implements ITaggableV2 {
  public readonly cdkTagManager: TagManager;

  /** As they go into the template, references unresolved. */
  public readonly properties: Record<string, unknown>;

  constructor(scope: Construct, id: string, props: CustomImageResourceProps) {
    const tagManager = new TagManager(TagType.MAP, RESOURCE_TYPE, props.image.tags, { tagPropertyName: 'Tags' });
    const properties = {
      ServiceToken: props.serviceToken,
      ServiceTimeout: SERVICE_TIMEOUT_SECONDS,
      ...encodeProperties({ ...props.image, tags: tagManager.renderedTags as unknown as Record<string, string> }),
    };
    super(scope, id, { type: RESOURCE_TYPE, properties });
    this.cdkTagManager = tagManager;
    this.properties = properties;
  }
}

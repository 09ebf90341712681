import { Context } from './context';
import { Image } from './image';
import { ImageStore } from './image-store';
import { ServiceError } from './service-error';
import { checkShape, checkTagCount } from './validation';

const TRANSITIONAL = ['CREATING', 'UPDATING', 'DELETING'];

/** The tag operations (4.9), in the error vocabulary of the older Lambda API. */
export class ImageTags {
  constructor(private readonly context: Context, private readonly images: ImageStore) {
  }

  public list(arn: string): Record<string, unknown> {
    const { tags } = this.images.taggable(arn, 'ListTags');
    return Object.keys(tags).length === 0 ? {} : { Tags: { ...tags } };
  }

  public tag(arn: string, input: Record<string, any>): void {
    const image = this.images.taggable(arn, 'TagResource');
    checkShape('TagResource', input);
    const merged = { ...image.tags, ...input.Tags };
    this.asParameterError(() => checkTagCount(merged));
    this.assertWritable(image);
    image.tags = merged;
  }

  public untag(arn: string, keys: string[]): void {
    const image = this.images.taggable(arn, 'UntagResource');
    checkShape('UntagResource', { tagKeys: keys.length > 0 ? keys : null });
    this.assertWritable(image);
    image.tags = Object.fromEntries(Object.entries(image.tags).filter(([key]) => !keys.includes(key)));
  }

  private assertWritable(image: Image): void {
    if (this.context.readings.tagWritesWhileUpdating === 'conflict' && TRANSITIONAL.includes(image.state)) {
      throw new ServiceError('ResourceConflictException', `MicroVM Image is already in state: ${image.state}`);
    }
  }

  private asParameterError(check: () => void): void {
    try {
      check();
    } catch (error) {
      throw new ServiceError('InvalidParameterValueException', (error as ServiceError).text);
    }
  }
}

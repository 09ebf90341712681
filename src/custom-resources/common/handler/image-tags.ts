import { GetMicrovmImageCommand, LambdaMicrovmsClient, ListTagsCommand } from '@aws-sdk/client-lambda-microvms';
import { CallOptions, refusing, unlessNotFound } from './sdk-call';

/** The tags of an image. Undefined: there is no image. */
export async function tagsOfImage(
  microvms: LambdaMicrovmsClient, imageArn: string, options: CallOptions,
): Promise<Record<string, string> | undefined> {
  return unlessNotFound(undefined, async () => {
    const image = await refusing('GetMicrovmImage', async () => microvms.send(new GetMicrovmImageCommand({ imageIdentifier: imageArn }), options));
    // An image of ours is never without tags: none here means that this call does not tell.
    if (Object.keys(image.tags ?? {}).length > 0) {
      return image.tags;
    }
    const { Tags } = await refusing('ListTags', async () => microvms.send(new ListTagsCommand({ Resource: imageArn }), options));
    return Tags ?? {};
  });
}

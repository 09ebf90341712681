/** The name in the ARN of an image or a base image. What is no ARN is taken for a name. */
export function imageNameOf(imageArn: string): string {
  return imageArn.split(':').pop()!;
}

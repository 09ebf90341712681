import * as fs from 'fs';
import * as path from 'path';
import { Stack, Stage } from 'aws-cdk-lib';
import { imageIn, resources } from './fixtures';
import { MicrovmImageDefinition, MicrovmImageProps, MicrovmImagePublication, MicrovmImageSource, MicrovmImageSourceProps, MicrovmSmokeTest } from '../../src';

export const COPY = 'Custom::CDKBucketDeployment';
export const SOURCE_BUCKET = 'publisher-source';

export function publicationIn(stack: Stack, image: Partial<MicrovmImageProps> = {}, publicationName = 'agents'): MicrovmImagePublication {
  const golden = imageIn(stack, image);
  return new MicrovmImagePublication(stack, 'Publication', {
    image: golden, publicationName, smokeTests: [new MicrovmSmokeTest(stack, 'SmokeTest', { image: golden })],
  });
}

export function sourceIn(stack: Stack, image: Partial<MicrovmImageProps> = {}, props: Partial<MicrovmImageSourceProps> = {}): MicrovmImageSource {
  return new MicrovmImageSource(stack, 'Source', { publication: publicationIn(stack, image), ...props });
}

/** The file of the definition, as it is in the bucket of the publisher once the stack is deployed. */
export function publishedFile(stack: Stack, bucketName = SOURCE_BUCKET): string {
  const { Properties } = Object.values(resources(stack, COPY)).find((copy) => copy.Properties.Extract)!;
  const { SourceObjectKeys: [key], SourceMarkers: [markers] } = Properties;
  const asset = path.join(Stage.of(stack)!.outdir, `asset.${path.basename(key, '.zip')}`, 'definition.json');
  return Object.keys(markers).reduce((file, marker) => file.split(marker).join(bucketName), fs.readFileSync(asset, 'utf8'));
}

export function handedOver(stack: Stack): MicrovmImageDefinition {
  return MicrovmImageDefinition.fromJson(publishedFile(stack));
}

import { strToU8, zipSync } from 'fflate';
import { DeployedTemplate } from './deployed-template';
import { decodeProperties, RESOURCE_TYPE } from '../../src/custom-resources/microvm-image/contract';
import { desiredConfig } from '../../src/custom-resources/microvm-image/handler/config';
import { SdkAdapter } from '../../src/custom-resources/microvm-image/handler/sdk-adapter';
import { stringified } from '../custom-resources/microvm-image/stack-events';
import { MicrovmSimulator } from '../simulator';

/**
 * Builds version 1.0 of each image of a template in a simulator that moves on with every read, and returns their ARNs.
 *
 * The SDK takes the endpoint of the simulator from the environment.
 */
export async function buildImages(template: DeployedTemplate, simulator: MicrovmSimulator): Promise<string[]> {
  const service = new SdkAdapter();
  const arns: string[] = [];
  for (const id of template.logicalIds(RESOURCE_TYPE)) {
    const image = decodeProperties(stringified(template.properties(id)) as Record<string, unknown>);
    const arn = simulator.imageArn(image.imageName);
    simulator.artifacts.put(image.codeArtifactUri, zipSync({ Dockerfile: strToU8('FROM scratch\n') }));
    await service.createImage(image.imageName, { ...desiredConfig(image), baseImageVersion: '1' }, {}, `create ${image.imageName}`);
    for (let read = 0; read < 5; read++) {
      await service.getImage(arn);
    }
    arns.push(arn);
  }
  return arns;
}

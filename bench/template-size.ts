import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Finding, Measurement } from './measurement';
import { MicrovmBuildRole, MicrovmCode, MicrovmImage, MicrovmImageProps } from '../src';

/** How many resources a stack of so many images has. */
function resources(images: number, propsIn: (stack: Stack) => Partial<MicrovmImageProps> = () => ({})): number {
  const stack = new Stack(new App(), 'Stack');
  const props = propsIn(stack);
  for (let index = 0; index < images; index++) {
    new MicrovmImage(stack, `Image${index}`, { code: MicrovmCode.fromInline({ dockerfile: 'FROM scratch\n' }), ...props });
  }
  return Object.keys(Template.fromStack(stack).toJSON().Resources).length;
}

export const templateSize: Measurement = {
  what: 'resources an image adds to a stack',
  target: '<= 4, and 1 with a shared role and log group; fixed cost of the provider: <= 17 and a log group',
  method: 'Counted in synthesised templates of 1, 2 and 11 images.',
  measure: async (): Promise<Finding> => {
    const shared = (stack: Stack) => ({ buildRole: new MicrovmBuildRole(stack, 'Role'), logGroup: new logs.LogGroup(stack, 'Logs') });
    const added = (resources(11) - resources(1)) / 10;
    const addedShared = resources(2, shared) - resources(1, shared);
    const fixed = resources(1) - added - 1;
    return { result: `${added}, and ${addedShared} shared; fixed ${fixed} and a log group`, met: added <= 4 && addedShared === 1 && fixed <= 17 };
  },
};

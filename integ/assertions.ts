import { ExpectedResult, IntegTest } from '@aws-cdk/integ-tests-alpha';
import { MicrovmImage } from '../src';

/** Asserts on what the service says of a deployed image. */
export function expectImage(integ: IntegTest, image: MicrovmImage, expected: ExpectedResult): void {
  const call = integ.assertions.awsApiCall('@aws-sdk/client-lambda-microvms', 'GetMicrovmImageCommand', { imageIdentifier: image.imageArn });
  // The assertion derives an IAM action from the name of the SDK package; the service's actions are under `lambda:`.
  call.provider.addToRolePolicy({ Effect: 'Allow', Action: ['lambda:GetMicrovmImage'], Resource: [image.imageArn] });
  call.expect(expected);
}

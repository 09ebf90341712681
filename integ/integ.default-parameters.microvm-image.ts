/**
 * An image with nothing but code.
 *
 * Deployed for real: one build of about 3 minutes, snapshot storage billed for a week.
 */
import { join } from 'path';
import { ExpectedResult, IntegTest } from '@aws-cdk/integ-tests-alpha';
import { App, Stack } from 'aws-cdk-lib';
import { expectImage } from './assertions';
import { MicrovmCode, MicrovmImage } from '../src';

const app = new App();
const stack = new Stack(app, 'MicrovmImageDefaults');
const image = new MicrovmImage(stack, 'Image', { code: MicrovmCode.fromAsset(join(__dirname, 'image')) });

const integ = new IntegTest(app, 'MicrovmImageDefaultsTest', { testCases: [stack] });
expectImage(integ, image, ExpectedResult.objectLike({ state: 'CREATED', latestActiveImageVersion: '1.0' }));

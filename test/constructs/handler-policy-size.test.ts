import { Annotations, App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import { imageIn, stackOf, warnings } from './fixtures';
import { MicrovmImage, MicrovmImageChannel, MicrovmImagePublication, MicrovmSmokeTest } from '../../src';
import { MicrovmImagePublicationProvider } from '../../src/custom-resources/microvm-image-publication-provider';
import { ACCOUNT, DeployedTemplate, REGION } from '../iam/deployed-template';

const STACK_ID = `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/App/11111111-2222-3333-4444-555555555555`;
/** See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const LIMIT = 10_240;
const TOO_LARGE = /LambdaMicrovmImagePublicationProvider\] Publications of the Lambda MicroVM images of this stack: the policies of the handler's role must be at most 10240 characters in all, white space not counted, got at least (\d+); put some of the images into another stack/;

/** A stack with so many publications, their names of the same length. */
function publishing(count: number, use: (publication: MicrovmImagePublication) => void = () => undefined): Stack {
  const stack = new Stack(new App(), 'App');
  for (let index = 10; index < 10 + count; index++) {
    use(new MicrovmImagePublication(stack, `Publication${index}`, { image: imageIn(stack, {}, `Image${index}`), publicationName: `agents-${index}` }));
  }
  return stack;
}

/** What IAM would count of a role, deployed. */
function deployedSize(stack: Stack, role: string): number {
  const template = DeployedTemplate.of(stack, STACK_ID);
  return template.policiesOf(template.role(role)).map((policy) => JSON.stringify(policy).replace(/\s/g, '').length).reduce((a, b) => a + b);
}

/** The size the error tells, if there is one. */
function sizeInError(stack: Stack): number | undefined {
  try {
    Template.fromStack(stack);
    return undefined;
  } catch (error) {
    expect((error as Error).message).toMatch(TOO_LARGE);
    return Number(TOO_LARGE.exec((error as Error).message)![1]);
  }
}

function complaint(stack: Stack): 'error' | 'warning' | undefined {
  return sizeInError(stack) !== undefined ? 'error' : warnings(stack).includes('cdk-lambda-microvms:handlerPolicySize') ? 'warning' : undefined;
}

test('as many golden images as fit into a role are taken without a word; of those that may not, a warning; of those that do not, an error', () => {
  const [fitting, doubtful] = [13, 14].map((count) => publishing(count));
  expect([complaint(fitting), complaint(doubtful)]).toEqual([undefined, 'warning']);
  const least = sizeInError(publishing(15))!;
  const [one, two] = [fitting, doubtful].map((stack) => deployedSize(stack, 'PublicationProviderIsCompleteRole'));
  // The names of this account and region are among the short ones: here the doubtful one fits, and the next cannot.
  const next = two + (two - one);
  expect([two < LIMIT, next > LIMIT]).toEqual([true, true]);
  // What the error tells is never more than it would be.
  expect([least > LIMIT, least <= next, least > 0.95 * next]).toEqual([true, true, true]);
}, 120_000);

test('the warning can be acknowledged', () => {
  const stack = publishing(14);
  Annotations.of(stack).acknowledgeWarning('cdk-lambda-microvms:handlerPolicySize');
  expect(complaint(stack)).toBeUndefined();
}, 60_000);

test('the events of a publication count too', () => {
  expect(complaint(publishing(13))).toBeUndefined();
  expect(complaint(publishing(13, (publication) => publication.onPromoted('Rule')))).toBe('warning');
}, 60_000);

test('what an app adds to the role counts too', () => {
  const stack = publishing(1);
  const resources = Array.from({ length: 120 }, (_, index) => `arn:aws:sqs:us-east-1:111122223333:a-queue-with-a-name-of-its-own-and-number-${index}`);
  MicrovmImagePublicationProvider.getOrCreate(stack).handlers.isComplete.addToRolePolicy(new iam.PolicyStatement({ actions: ['sqs:SendMessage'], resources }));
  expect(complaint(stack)).toBe('error');
}, 60_000);

test('channels count with publications, in the one role they share', () => {
  const stack = publishing(12);
  for (let index = 0; index < 12; index++) {
    new MicrovmImageChannel(stack, `Channel${index}`, { publicationName: `agents-${index}`, channel: 'stable', version: '1.0' });
  }
  expect(complaint(stack)).toBe('error');
}, 60_000);

test.each<[string, (stack: Stack, image: MicrovmImage, index: number) => unknown]>([
  ['smoke tests', (stack, image, index) => new MicrovmSmokeTest(stack, `SmokeTest${index}`, { image })],
  ['images with names of their own', () => undefined],
])('the roles behind %s have the same limit', (_what, use) => {
  const stack = stackOf();
  for (let index = 0; index < 60; index++) {
    use(stack, imageIn(stack, { imageName: `golden-image-number-${index}` }, `Image${index}`), index);
  }
  expect(() => Template.fromStack(stack)).toThrow(/LambdaMicrovm(SmokeTest|Image)Provider\] .* must be at most 10240 characters in all/);
}, 60_000);

test('images without names of their own take no more room, however many there are', () => {
  const stack = stackOf();
  for (let index = 0; index < 60; index++) {
    imageIn(stack, {}, `Image${index}`);
  }
  expect(complaint(stack)).toBeUndefined();
}, 60_000);

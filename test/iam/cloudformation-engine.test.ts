import { randomUUID } from 'crypto';
import { CreateMicrovmImageCommand, CreateMicrovmImageCommandInput, LambdaMicrovmsClient, RunMicrovmCommand } from '@aws-sdk/client-lambda-microvms';
import { App, Duration, Stack } from 'aws-cdk-lib';
import * as logs from 'aws-cdk-lib/aws-logs';
import { strToU8, zipSync } from 'fflate';
import { isAllowed, resourceTags } from './access';
import { ACCOUNT, DeployedTemplate, REGION } from './deployed-template';
import { MicrovmBaseImage, MicrovmCode, MicrovmHooks, MicrovmImage, MicrovmImageEngine, MicrovmImageProps, RunningMicrovms } from '../../src';
import { decodeProperties, RESOURCE_TYPE, UPKEEP_RESOURCE_TYPE } from '../../src/custom-resources/microvm-image/contract';
import { SimulatedStacks } from '../custom-resources/microvm-image/simulated-stack';
import { stringified } from '../custom-resources/microvm-image/stack-events';

const STACK_ID = `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/App/11111111-2222-3333-4444-555555555555`;
const HANDLER = 'IsCompleteRole';
const NATIVE = 'AWS::Lambda::MicrovmImage';
const both = MicrovmImageEngine.cloudFormation({ runningMicrovms: RunningMicrovms.TERMINATE, keepVersions: 2 });

let stacks: SimulatedStacks;

beforeEach(async () => {
  stacks = await SimulatedStacks.start();
});
afterEach(async () => stacks.simulator.stop());

function synthesize(images: Record<string, Partial<MicrovmImageProps>>): DeployedTemplate {
  const stack = new Stack(new App(), 'App');
  for (const [id, props] of Object.entries(images)) {
    new MicrovmImage(stack, id, {
      code: MicrovmCode.fromInline({ dockerfile: 'FROM scratch\n' }),
      baseImage: MicrovmBaseImage.AL2023_1.pinned('1'),
      logGroup: logs.LogGroup.fromLogGroupName(stack, `${id}Logs`, '/golden'),
      ...props,
    });
  }
  return DeployedTemplate.of(stack, STACK_ID);
}

/** What CloudFormation's handler sends to the service for an image of a template. */
async function create(template: DeployedTemplate): Promise<string> {
  const properties = template.properties(template.logicalIds(NATIVE)[0]);
  stacks.simulator.artifacts.put(properties.CodeArtifact.Uri, zipSync({ Dockerfile: strToU8('FROM scratch\n') }));
  stacks.simulator.logs.create('/golden', stacks.simulator.clock.now());
  const { Tags = [], EnvironmentVariables, Logging, ...rest } = properties;
  const input = {
    ...lowerCamel(rest),
    environmentVariables: Object.fromEntries(EnvironmentVariables.map(({ Key, Value }: any) => [Key, Value])),
    logging: Logging.Disabled ? { disabled: {} } : lowerCamel(Logging),
    tags: Object.fromEntries(Tags.map(({ Key, Value }: any) => [Key, Value])),
    clientToken: randomUUID(),
  } as unknown as CreateMicrovmImageCommandInput;
  const { imageArn } = await new LambdaMicrovmsClient().send(new CreateMicrovmImageCommand(input));
  await stacks.simulator.clock.advance(300_000);
  stacks.simulator.calls.clear();
  return imageArn!;
}

function lowerCamel(value: any): any {
  if (Array.isArray(value)) {
    return value.map(lowerCamel);
  }
  return typeof value !== 'object' || value === null ? value
    : Object.fromEntries(Object.entries(value).map(([key, entry]) => [key[0].toLowerCase() + key.slice(1), lowerCamel(entry)]));
}

async function send(template: DeployedTemplate, type: 'Create' | 'Update' | 'Delete', imageArn: string) {
  return stacks.upkeep(type, STACK_ID, imageArn, template.properties(template.logicalIds(UPKEEP_RESOURCE_TYPE)[0]));
}

/** Every call of the handler, with what IAM checks for it, judged by the policy in force. */
async function denied(template: DeployedTemplate, tags: Record<string, string>): Promise<string[]> {
  const policies = template.policiesOf(template.role(HANDLER));
  const checks = stacks.simulator.calls.all.flatMap((call) => call.requires);
  expect(checks.length).toBeGreaterThan(0);
  const verdicts = await Promise.all(checks.map(async ({ action, resource }) =>
    (await isAllowed(policies, action, resource, resourceTags(tags)) ? [] : [`${action} on ${resource}`])));
  return [...new Set(verdicts.flat())];
}

describe.each([['a generated name', undefined], ['a name of the user\'s', 'golden']])('the upkeep of an image with %s', (_what, imageName) => {
  test('may do what it does, also after the image has left the stack', async () => {
    const template = synthesize({ Image: { imageName, engine: both } });
    const imageArn = await create(template);
    const { tags } = stacks.simulator.images[0];
    await send(template, 'Create', imageArn);
    expect(await denied(template, tags)).toEqual([]);

    await new LambdaMicrovmsClient().send(new RunMicrovmCommand({ imageIdentifier: imageArn }));
    stacks.simulator.calls.clear();
    expect(await send(template, 'Delete', imageArn)).toMatchObject({ Status: 'SUCCESS' });
    expect(stacks.simulator.calls.count('TerminateMicrovm')).toBe(1);
    expect(await denied(synthesize({ Other: { engine: both } }), tags)).toEqual([]);
  });

  test('may see that it was taken away from an image that stays', async () => {
    const imageArn = await create(synthesize({ Image: { imageName, engine: MicrovmImageEngine.cloudFormation() } }));
    const template = synthesize({ Image: { imageName, engine: both } });
    expect(await send(template, 'Delete', imageArn)).toMatchObject({ Status: 'SUCCESS', ticks: 1 });
    expect(await denied(template, {})).toEqual([]);
  });
});

test.each(['lambda:DeleteMicrovmImageVersion', 'lambda:TerminateMicrovm', 'lambda:ListMicrovmImageVersions'])(
  'the upkeep may not call %s on an image that another stack looks after', async (action) => {
    const template = synthesize({ Image: { imageName: 'golden', engine: both } });
    const policies = template.policiesOf(template.role(HANDLER));
    const neighbour = `arn:aws:lambda:${REGION}:${ACCOUNT}:microvm-image:neighbour`;
    const tags = (stack: string) => resourceTags({ 'microvm-cdk:upkeep': stack });

    expect(await isAllowed(policies, action, neighbour, tags('99999999-0000-0000-0000-000000000000'))).toBe(false);
    expect(await isAllowed(policies, action, neighbour)).toBe(false);
    expect(await isAllowed(policies, action, neighbour, tags('11111111-2222-3333-4444-555555555555'))).toBe(true);
  });

test('an image that CloudFormation built and retained is adopted by the custom engine without a build', async () => {
  const props = {
    imageName: 'golden',
    description: 'golden',
    environment: { MODE: 'fast', LEVEL: 'info' },
    hooks: MicrovmHooks.onPort(9000, { ready: Duration.minutes(5), resume: Duration.seconds(2) }),
  };
  await create(synthesize({ Image: { ...props, engine: MicrovmImageEngine.cloudFormation() } }));
  const adopting = synthesize({ Image: { ...props, engine: MicrovmImageEngine.custom({ adopt: true }) } });
  const properties = decodeProperties(stringified(adopting.properties(adopting.logicalIds(RESOURCE_TYPE)[0])) as Record<string, unknown>);

  expect(await stacks.resource(STACK_ID).create(properties)).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });
  expect(stacks.builds).toBe(0);
});

import { randomUUID } from 'crypto';
import * as frozen from './fixtures/deployed-v1.json';
import { CloudFormationResponse } from './provider-framework';
import { SimulatedStacks } from './simulated-stack';
import { Tag } from '../../../src/custom-resources/microvm-image/contract';

const [, , , REGION, ACCOUNT] = frozen.physicalId.split(':');
const ASSETS = frozen.properties.CodeArtifactUri.replace(/[^/]+$/, '');

let stacks: SimulatedStacks;
let stored: Record<string, string>;

/** A request about the resource as the first release left it, whatever today's constructs would write. */
async function send(type: 'Create' | 'Update' | 'Delete', changes: Record<string, unknown> = {}, requestId: string = randomUUID()): Promise<CloudFormationResponse> {
  return stacks.framework().handle({
    RequestType: type,
    RequestId: requestId,
    StackId: frozen.stackId,
    LogicalResourceId: frozen.logicalId,
    PhysicalResourceId: type === 'Create' ? undefined : frozen.physicalId,
    ResourceProperties: { ...frozen.properties, ...changes },
    OldResourceProperties: type === 'Update' ? frozen.properties : undefined,
  });
}

beforeEach(async () => {
  stacks = await SimulatedStacks.start({ region: REGION, accountId: ACCOUNT, startAt: Date.parse('2026-11-25T00:00:00Z') });
  stacks.image('any');
  for (const key of ['0a1b2c.zip', 'new.zip']) {
    stacks.simulator.artifacts.put(`${ASSETS}${key}`, SimulatedStacks.ARTIFACT);
  }
  await send('Create', {}, frozen.requestId);
  // What it wrote then, in place of what is written today.
  stored = stacks.tags;
  await stacks.adapter.untag(frozen.physicalId, Object.keys(stored));
  await stacks.adapter.tag(frozen.physicalId, frozen.tags);
});
afterEach(async () => stacks.simulator.stop());

test('an image is noted today as the first release noted it', () => {
  const { [Tag.REQUEST]: _, ...tags } = stored;
  const { [Tag.REQUEST]: __, ...frozenTags } = frozen.tags;
  expect(tags).toEqual(frozenTags);
});

test('a stack of the first release finds nothing to do, and its image is not built', async () => {
  const before = stacks.builds;
  expect(await send('Update', { Tags: { team: 'other' } })).toMatchObject({
    Status: 'SUCCESS', PhysicalResourceId: frozen.physicalId, Data: { ImageVersion: '1.0', BaseImageVersion: '1' },
  });
  expect(stacks.builds).toBe(before);
  expect(stacks.tags).toMatchObject({ team: 'other' });
});

test('it updates with one build, and rolls back without one', async () => {
  const before = stacks.builds;
  expect(await send('Update', { CodeArtifactUri: `${ASSETS}new.zip` })).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '2.0' } });
  expect(await send('Update')).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });
  expect(stacks.builds).toBe(before + 1);
});

test('it is deleted', async () => {
  expect(await send('Delete')).toMatchObject({ Status: 'SUCCESS' });
  expect(stacks.simulator.images).toEqual([]);
});

import { ACCEPTED_AT, cloudFormationEvent, IMAGE_ARN, imageProperties, REQUEST_ID, STACK_ID } from './builders';
import { encodeProperties, InvalidProperties, RunningMicrovms } from '../../../src/custom-resources/microvm-image/contract';
import { acceptRequest, decodeRequest, DeleteRequest, EnsureRequest, RefreshPhase, requestIdOf } from '../../../src/custom-resources/microvm-image/handler/request';

const properties = (overrides: Parameters<typeof imageProperties>[0] = {}) => encodeProperties(imageProperties(overrides));

const ensure = (overrides: Parameters<typeof cloudFormationEvent>[0] = {}) =>
  decodeRequest(cloudFormationEvent({ ResourceProperties: properties(), ...overrides }), ACCEPTED_AT) as EnsureRequest;

describe('accepting a request', () => {
  test('names the resource after the image and starts the clock', () => {
    expect(acceptRequest(cloudFormationEvent({ ResourceProperties: properties() }), ACCEPTED_AT)).toEqual({
      PhysicalResourceId: IMAGE_ARN, AcceptedAt: '2026-08-01T10:00:00.000Z',
    });
  });

  test('takes partition, region and account from the stack', () => {
    const StackId = 'arn:aws-us-gov:cloudformation:us-gov-west-1:444455556666:stack/shop/0f1e2d3c';
    expect(acceptRequest(cloudFormationEvent({ StackId, ResourceProperties: properties() }), ACCEPTED_AT).PhysicalResourceId)
      .toBe('arn:aws-us-gov:lambda:us-gov-west-1:444455556666:microvm-image:shop-app');
  });

  test('answers another id when the name changes, so CloudFormation deletes the old image', () => {
    const update = cloudFormationEvent({
      RequestType: 'Update', PhysicalResourceId: IMAGE_ARN, ResourceProperties: properties({ imageName: 'renamed' }), OldResourceProperties: properties(),
    });
    expect(acceptRequest(update, ACCEPTED_AT).PhysicalResourceId).toBe(IMAGE_ARN.replace('shop-app', 'renamed'));
  });

  test.each(['Create', 'Update'] as const)('refuses a %s that makes no sense before anything was done', (RequestType) => {
    expect(() => acceptRequest(cloudFormationEvent({ RequestType, ResourceProperties: {} }), ACCEPTED_AT)).toThrow(InvalidProperties);
  });

  test.each([IMAGE_ARN, 'shop-AppImage-1XQ2V3'])('echoes the id of a Delete (%s) and does not look at its properties', (PhysicalResourceId) => {
    expect(acceptRequest(cloudFormationEvent({ RequestType: 'Delete', PhysicalResourceId, ResourceProperties: { Hooks: 'nonsense' } }), ACCEPTED_AT))
      .toMatchObject({ PhysicalResourceId });
  });
});

describe('decoding a request', () => {
  test('takes the moment of acceptance from onEvent, whenever it is decoded', () => {
    const request = decodeRequest(cloudFormationEvent({ ResourceProperties: properties() }), ACCEPTED_AT + 1_000_000);
    expect(request).toMatchObject({ acceptedAt: ACCEPTED_AT, stamp: `2026-08-01T10:00:00.000Z/${REQUEST_ID}` });
  });

  test('makes stamps that sort by the time of acceptance', () => {
    const at = (AcceptedAt: string) => ensure({ AcceptedAt }).stamp;
    expect(at('2026-08-01T10:00:00.001Z') > at('2026-08-01T10:00:00.000Z')).toBe(true);
    expect(at('2026-08-01T10:00:00.000Z') > at('2026-08-01T09:59:59.999Z')).toBe(true);
  });

  test('allows the time the template asks for, and never more than CloudFormation does', () => {
    expect(ensure().timeAllowed).toBe(55 * 60_000);
    expect(ensure({ ResourceProperties: properties({ buildTimeoutSeconds: 90 }) }).timeAllowed).toBe(90_000);
    expect(ensure({ ResourceProperties: properties({ buildTimeoutSeconds: 7_200 }) }).timeAllowed).toBe(55 * 60_000);
  });

  test('knows of a Delete whether it leaves what could not be built', () => {
    const remove = (retainOnFailure?: boolean) => decodeRequest(
      cloudFormationEvent({ RequestType: 'Delete', PhysicalResourceId: IMAGE_ARN, ResourceProperties: properties({ retainOnFailure, buildTimeoutSeconds: 90 }) }), ACCEPTED_AT);
    expect(remove(true)).toMatchObject({ retainOnFailure: true, timeAllowed: 55 * 60_000 });
    expect(remove()).toMatchObject({ retainOnFailure: false });
  });

  test('knows the owner by stack and logical id, and by nothing else', () => {
    // sha256 of "<StackId>|AppImage1234ABCD"
    expect(ensure().owner).toBe('fed9567802ad19a7182666fa8c6c743d');
    expect(ensure({ RequestId: 'another', ResourceProperties: properties({ imageName: 'renamed' }) }).owner).toBe(ensure().owner);
    expect(ensure({ LogicalResourceId: 'Other' }).owner).not.toBe(ensure().owner);
    expect(ensure({ StackId: `${STACK_ID}0` }).owner).not.toBe(ensure().owner);
  });

  test('knows the stack by the part of its id that a template can compute, and by its name', () => {
    expect(ensure()).toMatchObject({ stack: '0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0', stackName: 'shop' });
  });

  test('expects no image of ours on a Create and after a rename, and expects one otherwise', () => {
    expect(ensure({ RequestType: 'Create' }).isNew).toBe(true);
    expect(ensure({ RequestType: 'Update', OldResourceProperties: properties({ imageName: 'other' }) }).isNew).toBe(true);
    expect(ensure({ RequestType: 'Update', OldResourceProperties: properties({ description: 'other' }) }).isNew).toBe(false);
  });

  test('knows a build role that came with the request', () => {
    const role = 'arn:aws:iam::111122223333:role/another';
    expect(ensure({ RequestType: 'Create' }).buildRoleMayLag).toBe(true);
    expect(ensure({ RequestType: 'Update', OldResourceProperties: properties({ buildRoleArn: role }) }).buildRoleMayLag).toBe(true);
    expect(ensure({ RequestType: 'Update', OldResourceProperties: properties() }).buildRoleMayLag).toBe(false);
  });

  test('untags the keys of the old template that the new one lacks, and no others', () => {
    const request = ensure({
      RequestType: 'Update',
      ResourceProperties: properties({ tags: { team: 'shop', added: 'now' } }),
      OldResourceProperties: properties({ tags: { team: 'before', gone: 'x' } }),
    });
    expect(request.removedTags).toEqual(['gone']);
    expect(ensure({ RequestType: 'Create' }).removedTags).toEqual([]);
  });

  test('takes an Update for what it is, although nobody understands the template before', () => {
    const request = ensure({ RequestType: 'Update', OldResourceProperties: { ...properties(), MinimumMemoryInMiB: 'plenty' } });
    expect(request).toMatchObject({ kind: 'ensure', isNew: false, isCreate: false });
    expect(request.replaced).toBeUndefined();
  });

  test('of a refresh asks for the same versions, and leaves tags, ownership and launches to the deployments', () => {
    const launched = { adopt: true, waitForBuild: false, followLatest: true, tags: { team: 'shop' } };
    const Refresh = { phase: RefreshPhase.BUILD, token: 'base/2', requestSeen: '', refreshSeen: '' };
    const request = ensure({ RequestType: 'Update', ResourceProperties: properties(launched), OldResourceProperties: properties({ tags: { gone: 'x' } }), Refresh });
    expect(request).toMatchObject({ isNew: false, isCreate: false, buildRoleMayLag: false, removedTags: [], refresh: Refresh });
    expect(request.desired).toEqual(imageProperties({ adopt: undefined, waitForBuild: undefined, followLatest: undefined, tags: {} }));
  });

  test('of a refresh is the same request whenever a state of its execution is repeated', () => {
    expect(requestIdOf('execution-1')).toBe(requestIdOf('execution-1'));
    expect(requestIdOf('execution-1')).not.toBe(requestIdOf('execution-2'));
    expect(requestIdOf('arn:aws:states:eu-west-1:111122223333:execution:Refresh:scheduled')).toMatch(/^refresh-[0-9a-f]{32}$/);
  });

  test('reads from a Delete the ARN and what to do about MicroVMs, whatever else it says', () => {
    const request = decodeRequest(cloudFormationEvent({
      RequestType: 'Delete', PhysicalResourceId: IMAGE_ARN, ResourceProperties: { RunningMicrovms: 'TERMINATE', MinimumMemoryInMiB: 'nonsense' },
    }), ACCEPTED_AT) as DeleteRequest;
    expect(request).toMatchObject({ kind: 'delete', imageArn: IMAGE_ARN, imageName: 'shop-app', runningMicrovms: RunningMicrovms.TERMINATE });
  });

  test.each([undefined, '', 'shop-AppImage-1XQ2V3'])('has nothing to do for a Delete of %p that names no image', (PhysicalResourceId) => {
    for (const ResourceProperties of [{}, { ImageName: '' }, { ImageName: 'not/a/name' }, { ImageName: { Ref: 'Name' } }]) {
      expect(decodeRequest(cloudFormationEvent({ RequestType: 'Delete', PhysicalResourceId, ResourceProperties }), ACCEPTED_AT)).toBeUndefined();
    }
  });

  test('finds the image of a create that was cut short by its name, since the id is made up', () => {
    const event = cloudFormationEvent({ RequestType: 'Delete', PhysicalResourceId: 'shop-AppImage-1XQ2V3', ResourceProperties: { ImageName: 'shop-app' } });
    expect(decodeRequest(event, ACCEPTED_AT)).toMatchObject({ kind: 'delete', imageArn: IMAGE_ARN });
  });

  test('trusts the id of a Delete more than the properties, which may be those of another name', () => {
    const event = cloudFormationEvent({ RequestType: 'Delete', PhysicalResourceId: IMAGE_ARN, ResourceProperties: { ImageName: 'other' } });
    expect(decodeRequest(event, ACCEPTED_AT)).toMatchObject({ imageArn: IMAGE_ARN, imageName: 'shop-app' });
  });
});

import { LambdaMicrovmsClient, RunMicrovmCommand } from '@aws-sdk/client-lambda-microvms';
import { DeployedStack } from './deployed-stack';
import { describeDeployments } from './emulated-aws';
import { BROKEN_DOCKERFILE, DOCKERFILE_2 } from './image-app';

jest.setTimeout(60_000);

describeDeployments('the life of a stack, through the CloudFormation API', (aws) => {
  let stack: DeployedStack;
  let stacks = 0;

  beforeEach(() => {
    stack = new DeployedStack(aws, `Life${++stacks}`);
    aws.emulator.simulator.calls.clear();
  });

  const builds = () => aws.emulator.buildsStarted;
  const imagesOf = (name: string) => aws.emulator.simulator.images.filter((image) => image.tags['microvm-cdk:stack-name'] === name);

  test('a new stack is complete when its image is built, and a deleted one leaves no image', async () => {
    const created = await stack.deploy({ images: { A: {} } });
    expect(created).toEqual({ status: 'CREATE_COMPLETE', outputs: { AVersion: '1.0' }, reasons: [] });
    expect(imagesOf(stack.name)).toMatchObject([{ state: 'CREATED', latestActiveImageVersion: '1.0' }]);
    expect(builds()).toBe(1);

    expect(await stack.delete()).toMatchObject({ status: 'DELETE_COMPLETE', reasons: [] });
    expect(imagesOf(stack.name)).toEqual([]);
  });

  test('new code builds a version, a change beside the image or of its tags builds none', async () => {
    await stack.deploy({ images: { A: {} } });

    expect(await stack.deploy({ images: { A: { dockerfile: DOCKERFILE_2 } } })).toMatchObject({ status: 'UPDATE_COMPLETE', outputs: { AVersion: '2.0' } });
    expect(builds()).toBe(2);

    const beside = await stack.deploy({ images: { A: { dockerfile: DOCKERFILE_2 } }, note: 'changed' });
    expect(beside).toMatchObject({ status: 'UPDATE_COMPLETE', outputs: { AVersion: '2.0' } });
    const tagged = await stack.deploy({ images: { A: { dockerfile: DOCKERFILE_2, tags: { team: 'blue' } } }, note: 'changed' });
    expect(tagged).toMatchObject({ status: 'UPDATE_COMPLETE', outputs: { AVersion: '2.0' } });
    expect(imagesOf(stack.name)[0].tags).toMatchObject({ team: 'blue' });
    expect(builds()).toBe(2);

    await stack.delete();
  });

  test('code that was built before is served again without a build', async () => {
    await stack.deploy({ images: { A: {} } });
    await stack.deploy({ images: { A: { dockerfile: DOCKERFILE_2 } } });

    expect(await stack.deploy({ images: { A: {} } })).toMatchObject({ status: 'UPDATE_COMPLETE', outputs: { AVersion: '1.0' } });
    expect(builds()).toBe(2);

    await stack.delete();
  });

  test('a failing build fails the update with its cause, and the rollback serves the version before without a build', async () => {
    await stack.deploy({ images: { A: {} } });

    const failed = await stack.deploy({ images: { A: { dockerfile: BROKEN_DOCKERFILE } } });
    expect(failed).toMatchObject({ status: 'UPDATE_ROLLBACK_COMPLETE', outputs: { AVersion: '1.0' } });
    expect(failed.reasons[0]).toMatch(/version 2\.0 failed to build/);
    expect(failed.reasons[0]).toMatch(/missing\.json/);
    expect(builds()).toBe(2);

    await stack.delete();
    expect(imagesOf(stack.name)).toEqual([]);
  });

  test('when a sibling fails, the rollback serves the version before without a build', async () => {
    await stack.deploy({ images: { A: {} } });

    const failed = await stack.deploy({ images: { A: { dockerfile: DOCKERFILE_2 } }, brokenSibling: true });
    expect(failed).toMatchObject({ status: 'UPDATE_ROLLBACK_COMPLETE', outputs: { AVersion: '1.0' } });
    expect(builds()).toBe(2);

    await stack.delete();
  });

  test('a failing first build fails the creation with its cause', async () => {
    const failed = await stack.deploy({ images: { A: { dockerfile: BROKEN_DOCKERFILE } } });
    expect(failed.status).toBe('ROLLBACK_COMPLETE');
    expect(failed.reasons[0]).toMatch(/version 1\.0 failed to build.*missing\.json/);
    expect(builds()).toBe(1);
  });

  test('removing one of two images deletes that one', async () => {
    await stack.deploy({ images: { A: {}, B: {} } });
    const [kept] = imagesOf(stack.name).filter(({ name }) => /-A-/.test(name));

    expect(await stack.deploy({ images: { A: {} } })).toMatchObject({ status: 'UPDATE_COMPLETE', reasons: [] });
    expect(imagesOf(stack.name).map(({ name }) => name)).toEqual([kept.name]);

    await stack.delete();
  });

  test('a rolled back addition is removed again', async () => {
    await stack.deploy({ images: { A: {} } });

    const failed = await stack.deploy({ images: { A: {}, B: {} }, brokenSibling: true });
    expect(failed.status).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(imagesOf(stack.name)).toHaveLength(1);

    await stack.delete();
  });

  test('a new name makes a new image, and the old one is deleted', async () => {
    await stack.deploy({ images: { A: { imageName: 'first-name' } } });

    const renamed = await stack.deploy({ images: { A: { imageName: 'second-name' } } });
    expect(renamed).toMatchObject({ status: 'UPDATE_COMPLETE', outputs: { AVersion: '1.0' }, reasons: [] });
    expect(imagesOf(stack.name).map(({ name }) => name)).toEqual(['second-name']);

    await stack.delete();
  });

  test('a retained image outlives its stack', async () => {
    await stack.deploy({ images: { A: { retain: true } } });

    expect(await stack.delete()).toMatchObject({ status: 'DELETE_COMPLETE' });
    expect(imagesOf(stack.name)).toMatchObject([{ state: 'CREATED' }]);
  });

  describe('with a running MicroVM', () => {
    let microvms: LambdaMicrovmsClient;

    beforeAll(() => {
      microvms = new LambdaMicrovmsClient({ ...aws.emulator.clientConfig, endpoint: aws.emulator.simulator.endpoint });
    });
    afterAll(() => microvms.destroy());

    const launch = async () => {
      const [image] = imagesOf(stack.name);
      const { microvmId } = await microvms.send(new RunMicrovmCommand({ imageIdentifier: image.arn }));
      return microvmId!;
    };

    // The emulator deletes the functions all the same, so that what follows on AWS, a second delete, cannot be played here.
    test('deleting the stack is refused with its id, and the image stays', async () => {
      await stack.deploy({ images: { A: {} } });
      const microvmId = await launch();

      const refused = await stack.delete();
      expect(refused.status).toBe('DELETE_FAILED');
      expect(refused.reasons[0]).toContain(microvmId);
      expect(imagesOf(stack.name)).toMatchObject([{ state: 'CREATED' }]);
    });

    test('a stack that was told to terminates it and deletes the image', async () => {
      await stack.deploy({ images: { A: { terminateRunning: true } } });
      const microvmId = await launch();

      expect(await stack.delete()).toMatchObject({ status: 'DELETE_COMPLETE', reasons: [] });
      expect(aws.emulator.simulator.microvms.find((each) => each.microvmId === microvmId)?.state).toMatch(/^TERMINAT/);
    });
  });
});

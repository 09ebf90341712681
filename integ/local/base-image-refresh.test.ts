import { GetMicrovmImageCommand, LambdaMicrovmsClient } from '@aws-sdk/client-lambda-microvms';
import { DescribeStateMachineCommand, SFNClient, TestStateCommand } from '@aws-sdk/client-sfn';
import { DeployedStack } from './deployed-stack';
import { describeDeployments } from './emulated-aws';
import { BROKEN_DOCKERFILE } from './image-app';
import { runStateMachine } from './state-machine-run';

jest.setTimeout(90_000);

describeDeployments('a base image refresh, through the deployed state machine', (aws) => {
  let stack: DeployedStack;
  let sfn: SFNClient;
  let microvms: LambdaMicrovmsClient;
  let refreshes = 0;

  beforeAll(() => {
    sfn = new SFNClient({ ...aws.emulator.clientConfig, disableHostPrefix: true });
    microvms = new LambdaMicrovmsClient({ ...aws.emulator.clientConfig, endpoint: aws.emulator.simulator.endpoint });
  });
  afterAll(() => [sfn, microvms].forEach((client) => client.destroy()));
  beforeEach(() => {
    stack = new DeployedStack(aws, `Refresh${++refreshes}`);
  });

  const image = () => aws.emulator.simulator.images.find(({ tags }) => tags['microvm-cdk:stack-name'] === stack.name)!;

  /** The failed version is being deleted, which takes some reads. */
  async function settle() {
    for (let read = 0; read < 5; read++) {
      await microvms.send(new GetMicrovmImageCommand({ imageIdentifier: image().arn }));
    }
    expect(image().state).toBe('UPDATED');
  }

  const start = (stateMachineArn: string, force = false) => runStateMachine(sfn, stateMachineArn, { force });

  test('builds when the base image moved and only then, and a later deployment keeps what it built', async () => {
    const { outputs } = await stack.deploy({ images: { A: {} }, refresh: true });
    aws.emulator.simulator.calls.clear();

    const idle = await start(outputs.RefreshStateMachine);
    expect(idle).toMatchObject({ status: 'SUCCEEDED', states: ['Did the base image move', 'Is a refresh due', 'Nothing to do'] });
    expect(aws.emulator.buildsStarted).toBe(0);

    aws.emulator.simulator.publishBaseImage('2');
    const refreshed = await start(outputs.RefreshStateMachine);
    expect([refreshed.status, refreshed.cause, refreshed.states.pop()]).toEqual(['SUCCEEDED', undefined, 'Refreshed']);
    expect(aws.emulator.buildsStarted).toBe(1);
    expect(image()).toMatchObject({ latestActiveImageVersion: '2.0' });

    expect((await start(outputs.RefreshStateMachine)).states.pop()).toBe('Nothing to do');
    expect(aws.emulator.buildsStarted).toBe(1);

    const tagged = await stack.deploy({ images: { A: { tags: { team: 'blue' } } }, refresh: true });
    expect(tagged).toMatchObject({ status: 'UPDATE_COMPLETE', outputs: { AVersion: '2.0' } });
    expect(aws.emulator.buildsStarted).toBe(1);

    const failed = await stack.deploy({ images: { A: { dockerfile: BROKEN_DOCKERFILE, tags: { team: 'blue' } } }, refresh: true });
    expect(failed).toMatchObject({ status: 'UPDATE_ROLLBACK_COMPLETE', outputs: { AVersion: '2.0' } });
    expect(aws.emulator.buildsStarted).toBe(2);

    await settle();
    const forced = await start(outputs.RefreshStateMachine, true);
    expect(forced.states.pop()).toBe('Refreshed');
    expect(aws.emulator.buildsStarted).toBe(3);

    expect(await stack.delete()).toMatchObject({ status: 'DELETE_COMPLETE', reasons: [] });
  });

  test('that fails says why, gives the image back as it was, and after three in a row goes for the schedule', async () => {
    const { outputs } = await stack.deploy({ images: { A: {} }, refresh: true });
    aws.emulator.simulator.calls.clear();
    for (const [failures, last] of [[1, 'Tell of the failure'], [2, 'Tell of the failure'], [3, 'Find the schedule']] as const) {
      aws.emulator.simulator.builds.plan({ failure: { kind: 'container' } });
      const { status, cause, states } = await start(outputs.RefreshStateMachine, true);
      expect(status).toBe('FAILED');
      expect(cause).toMatch(/failed to build/);
      expect(states).toContain(last);
      expect(aws.emulator.buildsStarted).toBe(failures);
      await settle();
      expect(image()).toMatchObject({ latestActiveImageVersion: '1.0', versions: [{ version: '1.0' }] });
    }
    expect((await start(outputs.RefreshStateMachine, true)).states.pop()).toBe('Refreshed');
    await stack.delete();
  });

  // The emulator's Step Functions cannot call its Scheduler: what would be sent is evaluated there, and sent by hand.
  test('disables its schedule and changes nothing else of it', async () => {
    const { outputs } = await stack.deploy({ images: { A: {} }, refresh: true });
    const { definition } = await sfn.send(new DescribeStateMachineCommand({ stateMachineArn: outputs.RefreshStateMachine }));
    const { States } = JSON.parse(definition!);
    const url = `${aws.emulator.endpoint}/schedules/${States['Find the schedule'].Arguments.Name}`;
    const headers = { authorization: 'AWS4-HMAC-SHA256 Credential=test/20261101/us-east-1/scheduler/aws4_request, SignedHeaders=host, Signature=0' };
    const before: any = await (await fetch(url, { headers })).json();
    expect(before).toMatchObject({ State: 'ENABLED', Arn: expect.any(String) });

    const { output } = await sfn.send(new TestStateCommand({
      definition: JSON.stringify({ Type: 'Pass', QueryLanguage: 'JSONata', Output: States['Disable the schedule'].Arguments, End: true }),
      input: JSON.stringify(before),
    }));
    expect(JSON.parse(output!)).not.toHaveProperty('Arn');
    expect((await fetch(url, { method: 'PUT', headers, body: output })).status).toBe(200);
    const { LastModificationDate: _after, ...after }: any = await (await fetch(url, { headers })).json();
    const { LastModificationDate: _before, ...expected } = { ...before, State: 'DISABLED' };
    expect(after).toEqual(expected);
    await stack.delete();
  });
});

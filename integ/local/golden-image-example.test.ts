import { appendFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { describeDeployments } from './emulated-aws';
import { CdkRun } from '../../tools/emulator';

jest.setTimeout(180_000);

describeDeployments('the golden-image example', (aws) => {
  let app: string;
  beforeAll(() => {
    app = path.join(aws.emulator.folder, 'golden-image');
    cpSync(path.join(__dirname, '..', '..', 'examples', 'golden-image'), app, { recursive: true });
  });
  beforeEach(() => aws.emulator.simulator.calls.clear());
  const cdk = async (...args: string[]): Promise<CdkRun> => {
    const t = Date.now();
    const r = await aws.emulator.cdk(args, { cwd: app, env: { CDK_VALIDATION: 'false' } });
    appendFileSync('/tmp/wt/golden-example.log', [args.join(' '), Date.now() - t, aws.emulator.buildsStarted, '\n', r.lines.join('\n')].join(' ') + '\n===\n');
    return r;
  };
  test('x', async () => {
    await cdk('deploy', 'FollowingTeam', '--exclusively', '--require-approval', 'never');
    await cdk('deploy', '--all', '--require-approval', 'never', '--concurrency', '2', '--outputs-file', 'outputs.json');
    console.log(readFileSync(path.join(app, 'outputs.json'), 'utf8'));
    await cdk('destroy', '--all', '--force');
    void writeFileSync;
  });
}, { simulator: { guests: { mode: 'process' } } });

import * as fs from 'fs';
import * as path from 'path';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { ENV, imageIn } from './fixtures';
import { ExecutionRole, MicrovmBaseImage, MicrovmConnector, MicrovmHooks, MicrovmImageEngine, NetworkConnectorPolicy } from '../../src';

// The only test that pays for the CloudFormation validation of aws-cdk-lib, which takes seconds.
beforeAll(() => {
  delete process.env.CDK_VALIDATION;
});
afterAll(() => {
  process.env.CDK_VALIDATION = 'false';
});

test.each([['known', ENV], ['unknown', undefined]])('the template satisfies the schemas of CloudFormation, its environment being %s', (_what, env) => {
  const app = new App({ context: { '@aws-cdk/core:validateAgainstDefaultRules': true } });
  const stack = new Stack(app, 'Stack', { env });
  const image = imageIn(stack, { hooks: MicrovmHooks.onPort(9000, { ready: Duration.minutes(1) }), tags: { team: 'a' } });
  const engine = MicrovmImageEngine.cloudFormation({ keepVersions: 5 });
  imageIn(stack, { engine, baseImage: MicrovmBaseImage.AL2023_1.pinned('1'), hooks: MicrovmHooks.onPort(9000, { ready: Duration.minutes(1) }) }, 'Native');
  new ExecutionRole(stack, 'ExecutionRole', { sourceImages: [image] });
  new NetworkConnectorPolicy(stack, 'Connectors', { connectors: [MicrovmConnector.NO_INGRESS] });

  expect(() => app.synth()).not.toThrow();
  const report = JSON.parse(fs.readFileSync(path.join(app.outdir, 'validation-report.json'), 'utf8'));
  expect(report.pluginReports.flatMap((plugin: any) => plugin.violations ?? [])).toEqual([]);
}, 60_000);

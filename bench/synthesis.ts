import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { numberFrom } from './fresh-process';
import { Finding, inTurns, Measurement, ratio } from './measurement';

/** With four resources each: CloudFormation allows a stack 500. */
const IMAGES_OF_A_STACK = 100;

/** Common to both: an app whose images have each a folder of code, timed from the first construct to the last file. */
const frame = (folder: string, count: number, imports: string, image: string, onApp = '') => `
  const { App, Stack } = require('aws-cdk-lib');
  ${imports}
  const { mkdtempSync, rmSync } = require('node:fs');
  const outdir = mkdtempSync(${JSON.stringify(path.join(tmpdir(), 'bench-out-'))});
  const startedAt = process.hrtime.bigint();
  const app = new App({ outdir });
  ${onApp}
  let stack;
  for (let index = 0; index < ${count}; index++) {
    if (index % ${IMAGES_OF_A_STACK} === 0) {
      stack = new Stack(app, 'Stack' + index);
    }
    const folder = ${JSON.stringify(folder)} + '/' + index;
    ${image}
  }
  app.synth();
  const took = Number(process.hrtime.bigint() - startedAt) / 1e6;
  rmSync(outdir, { recursive: true });
  console.log(took);
`;

const ours = (folder: string, count: number) => frame(folder, count, `
  const { MicrovmCode, MicrovmImage } = require('./lib');
`, `
    new MicrovmImage(stack, 'Image' + index, { code: MicrovmCode.fromAsset(folder) });
`);

const checked = (folder: string, count: number) => frame(folder, count, `
  const { MicrovmCode, MicrovmImage, MicrovmPolicyChecks } = require('./lib');
  const { Validations } = require('aws-cdk-lib');
`, `
    new MicrovmImage(stack, 'Image' + index, { code: MicrovmCode.fromAsset(folder) });
`, `
  Validations.of(app).addPlugins(new MicrovmPolicyChecks());
`);

/** The same by hand: every image with a role of its own that may read its code and write its log. */
const byHand = (folder: string, count: number) => frame(folder, count, `
  const iam = require('aws-cdk-lib/aws-iam');
  const lambda = require('aws-cdk-lib/aws-lambda');
  const logs = require('aws-cdk-lib/aws-logs');
  const { Asset } = require('aws-cdk-lib/aws-s3-assets');
`, `
    const name = 'image-' + index;
    const asset = new Asset(stack, 'Asset' + index, { path: folder });
    const logGroup = new logs.LogGroup(stack, 'LogGroup' + index, { logGroupName: '/aws/lambda-microvms/' + name });
    const role = new iam.Role(stack, 'Role' + index, { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    asset.grantRead(role);
    role.addToPolicy(new iam.PolicyStatement({ actions: ['logs:CreateLogStream', 'logs:PutLogEvents'], resources: [logGroup.logGroupArn] }));
    const image = new lambda.CfnMicrovmImage(stack, 'Image' + index, {
      name, description: '', baseImageArn: 'arn:aws:lambda:us-east-1:aws:microvm-image:al2023-1', baseImageVersion: '1', buildRoleArn: role.roleArn,
      codeArtifact: { uri: asset.s3ObjectUrl }, logging: { cloudWatch: { logGroup: logGroup.logGroupName } },
      egressNetworkConnectors: ['arn:aws:lambda:us-east-1:aws:network-connector:aws-network-connector:INTERNET_EGRESS'],
      cpuConfigurations: [{ architecture: 'ARM_64' }], resources: [{ minimumMemoryInMiB: 2048 }],
      additionalOsCapabilities: [], hooks: {}, environmentVariables: [],
    });
    image.node.addDependency(role);
`);

function withFolders<T>(count: number, work: (folder: string) => T): T {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-code-'));
  try {
    for (let index = 0; index < count; index++) {
      mkdirSync(path.join(folder, String(index)));
      writeFileSync(path.join(folder, String(index), 'Dockerfile'), `FROM public.ecr.aws/lambda/microvms:al2023-minimal\nLABEL number=${index}\nCMD ["/bin/sh"]\n`);
      writeFileSync(path.join(folder, String(index), 'app.js'), 'console.log("hello");\n');
    }
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const synthesis: Measurement = {
  what: 'synth of 100 images, against the same 100 written with the L1, a role, a log group and an asset each',
  target: '<= 1.25x',
  method: 'A process for each run, 9 runs each in turns, timed from the first construct to the end of `app.synth()`; loading is not counted. The median.',
  measure: async () => withFolders(100, (folder): Finding => {
    const [own, hand] = inTurns(9, [() => numberFrom(ours(folder, 100)), () => numberFrom(byHand(folder, 100))]);
    return { result: `${ratio(own, hand)}: ${own} ms, by hand ${hand} ms`, met: own.median <= 1.25 * hand.median };
  }),
};

export const linearity: Measurement = {
  what: 'synth of 500 images, against five times that of 100',
  target: '<= 1.25x: linear',
  method: 'As above, in five stacks, 5 runs each.',
  measure: async () => withFolders(500, (folder): Finding => {
    const [hundred, fiveHundred] = inTurns(5, [() => 5 * numberFrom(ours(folder, 100)), () => numberFrom(ours(folder, 500))]);
    return { result: `${ratio(fiveHundred, hundred)}: ${fiveHundred} ms`, met: fiveHundred.median <= 1.25 * hundred.median };
  }),
};

export const policyChecks: Measurement = {
  what: 'synth of 100 images with `MicrovmPolicyChecks`, against the same without',
  target: '<= 1.2x',
  method: 'As the first, 9 runs each in turns. Making the plugin counts.',
  measure: async () => withFolders(100, (folder): Finding => {
    const [on, off] = inTurns(9, [() => numberFrom(checked(folder, 100)), () => numberFrom(ours(folder, 100))]);
    return { result: `${ratio(on, off)}: ${on} ms, without ${off} ms`, met: on.median <= 1.2 * off.median };
  }),
};

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import * as path from 'node:path';
import { build } from 'esbuild';
import { numberFrom, ROOT } from './fresh-process';
import { Finding, inTurns, Measurement, ratio, Sample } from './measurement';

const OURS = path.join(ROOT, 'lib', 'custom-resources', 'microvm-image', 'handler', 'is-complete.lambda', 'index.js');
/** The least a function that calls the service can be, written as the SDK's documentation has it. */
const CLIENT_ONLY = `
  import { LambdaMicrovmsClient } from '@aws-sdk/client-lambda-microvms';
  export const handler = async () => new LambdaMicrovmsClient();
`;

async function withClientOnly<T>(work: (file: string) => T): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-bundle-'));
  try {
    const outfile = path.join(folder, 'index.js');
    await build({
      stdin: { contents: CLIENT_ONLY, resolveDir: ROOT }, outfile, bundle: true, platform: 'node', target: 'node22', format: 'cjs', minify: true, mainFields: ['module', 'main'],
    });
    return work(outfile);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const coldImport = (file: string) => `
  const startedAt = process.hrtime.bigint();
  require(${JSON.stringify(file)});
  console.log(Number(process.hrtime.bigint() - startedAt) / 1e6);
`;

export const bundleSize: Measurement = {
  what: 'bytes of the handler\'s bundle, against a bundle of the service\'s client alone',
  target: '<= 1.15x',
  method: 'Both minified by esbuild with the same options. The client alone comes with the SDK\'s search for credentials; the handler\'s only looks into the environment.',
  measure: async () => withClientOnly((file): Finding => {
    const [own, client] = [OURS, file].map((each) => new Sample([statSync(each).size / 1000]));
    return { result: `${ratio(own, client)}: ${own.median.toFixed(0)} KB, the client ${client.median.toFixed(0)} KB`, met: own.median <= 1.15 * client.median };
  }),
};

export const bundleImport: Measurement = {
  what: 'cold import of the handler\'s bundle, against a bundle of the service\'s client alone',
  target: '<= 1.15x',
  method: 'A process for each import, 21 each in turns. The median.',
  measure: async () => withClientOnly((file): Finding => {
    const [own, client] = inTurns(21, [() => numberFrom(coldImport(OURS)), () => numberFrom(coldImport(file))]);
    return { result: `${ratio(own, client)}: ${own} ms, the client ${client} ms`, met: own.median <= 1.15 * client.median };
  }),
};

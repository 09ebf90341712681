/**
 * Runs an integration app for integ-runner and lowers the schema version of what it synthesised.
 *
 * integ-runner 2.197 reads cloud assemblies up to schema 53; aws-cdk-lib 2.276 writes 55. Templates are untouched.
 * Stack traces go: they tell where on which machine an app was synthesised, and snapshots are for everybody.
 */
const { readdirSync, readFileSync, writeFileSync } = require('node:fs');
const { join, resolve } = require('node:path');

const READABLE_SCHEMA = '53.0.0';

process.on('exit', () => {
  const assembly = process.env.CDK_OUTDIR;
  for (const name of assembly ? readdirSync(assembly) : []) {
    if (['cdk.out', 'manifest.json', 'integ.json'].includes(name) || name.endsWith('.assets.json')) {
      const file = join(assembly, name);
      const { minimumCliVersion, ...content } = JSON.parse(readFileSync(file, 'utf8'));
      writeFileSync(file, JSON.stringify({ ...content, version: READABLE_SCHEMA }, undefined, 2));
    }
    if (name.endsWith('.metadata.json')) {
      const file = join(assembly, name);
      const metadata = Object.entries(JSON.parse(readFileSync(file, 'utf8'))).map(([path, entries]) => [
        path, entries.filter(({ type }) => type !== 'aws:cdk:creationStack').map(({ trace, ...entry }) => entry),
      ]);
      writeFileSync(file, JSON.stringify(Object.fromEntries(metadata), undefined, 2));
    }
  }
});

require('tsx/cjs');
require(resolve(process.argv[2]));

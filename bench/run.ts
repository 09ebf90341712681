import { writeFileSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import * as path from 'node:path';
import { crowd } from './crowd';
import { addedWait, callsPerTick, rollback } from './engine';
import { bundleImport, bundleSize } from './handler-bundle';
import { loading } from './loading';
import { Finding, Measurement } from './measurement';
import { linearity, policyChecks, synthesis } from './synthesis';
import { templateSize } from './template-size';

const MEASUREMENTS: Record<string, Measurement> = {
  synthesis, linearity, policyChecks, loading, bundleSize, bundleImport, addedWait, rollback, callsPerTick, templateSize, crowd,
};

/** Measures everything and writes bench/results.md; or one thing by its name, and prints it. */
async function main(only?: string) {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  if (only !== undefined && !(only in MEASUREMENTS)) {
    throw new Error(`no measurement '${only}'; there are ${Object.keys(MEASUREMENTS).join(', ')}`);
  }
  const findings: Array<[string, Measurement, Finding]> = [];
  for (const [name, measurement] of Object.entries(MEASUREMENTS).filter(([each]) => only === undefined || each === only)) {
    const finding = await measurement.measure();
    console.log(`${finding.met ? 'met   ' : 'MISSED'} ${name}: ${finding.result} (target ${measurement.target})`);
    findings.push([name, measurement, finding]);
  }
  if (only === undefined) {
    writeFileSync(path.join(__dirname, 'results.md'), report(findings));
  }
}

function report(findings: Array<[string, Measurement, Finding]>): string {
  const [cpu] = cpus();
  return [
    '# Numbers',
    '',
    '`npm run bench` measures all of this in one run and rewrites this file; `npm run bench -- <name>` measures one row and prints it.',
    'Ratios of one run can be compared with those of another machine, times cannot. Spreads are the least and the most of the runs.',
    '',
    `Measured with Node ${process.versions.node} on ${cpus().length} cores (${cpu?.model.trim() || arch()}, ${platform()}).`,
    '',
    '| Name | What | Target | Result | Met |',
    '|---|---|---|---|---|',
    ...findings.map(([name, { what, target }, { result, met }]) => `| \`${name}\` | ${what} | ${target} | ${result} | ${met ? 'yes' : '**no**'} |`),
    '',
    '## How',
    '',
    ...findings.flatMap(([name, { method }]) => [`- \`${name}\`: ${method}`]),
    '',
  ].join('\n');
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});

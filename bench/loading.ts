import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { numberFrom, ROOT } from './fresh-process';
import { Finding, inTurns, Measurement, ratio } from './measurement';

/** Every module of `aws-cdk-lib` that the compiled library loads. */
function modulesUsed(): string[] {
  const files = readdirSync(path.join(ROOT, 'lib'), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js') && !file.includes('handler'));
  const names = files.flatMap((file) => [...readFileSync(path.join(ROOT, 'lib', file), 'utf8').matchAll(/require\("(aws-cdk-lib[^"]*|constructs)"\)/g)].map(([, name]) => name));
  return [...new Set(names)].sort();
}

const timed = (names: string[]) => `
  const startedAt = process.hrtime.bigint();
  for (const name of ${JSON.stringify(names)}) {
    require(name);
  }
  console.log(Number(process.hrtime.bigint() - startedAt) / 1e6);
`;

export const loading: Measurement = {
  what: '`require` of the package, against `aws-cdk-lib` and the modules of it that the package uses',
  target: '<= 1.10x',
  method: 'Like `aws-cdk-lib`, the package loads a file when a name of it is used. A process for each run, 15 runs each in turns. The median.',
  measure: async (): Promise<Finding> => {
    const peers = modulesUsed();
    const [own, base] = inTurns(15, [() => numberFrom(timed([...peers, ROOT])), () => numberFrom(timed(peers))]);
    return { result: `${ratio(own, base)}: ${own} ms, without it ${base} ms`, met: own.median <= 1.1 * base.median };
  },
};

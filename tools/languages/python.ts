import { readdirSync } from 'node:fs';
import * as path from 'node:path';
import { buildPackage, cdkBindings, Language, run } from './language';

export const python: Language = {
  name: 'python',
  tools: ['python3'],
  synthesize(folder, outdir) {
    buildPackage('python', folder);
    const wheel = readdirSync(path.join(folder, 'python')).find((name) => name.endsWith('.whl'))!;
    const interpreter = path.join(folder, 'venv', 'bin', 'python');
    run('python3', ['-m', 'venv', path.join(folder, 'venv')], { cwd: folder });
    // In one call: pip then takes this aws-cdk-lib for the one the wheel asks for.
    run(interpreter, ['-m', 'pip', 'install', '--quiet', path.join(cdkBindings('python'), 'aws-cdk-lib', 'python'), path.join(folder, 'python', wheel)], { cwd: folder });
    run(interpreter, [path.join(__dirname, 'python', 'app.py')], { cwd: folder, env: { CDK_OUTDIR: outdir } });
  },
};

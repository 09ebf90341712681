import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import * as path from 'node:path';
import { buildPackage, Language, PROJECT_ROOT, run } from './language';

export const typescript: Language = {
  name: 'typescript',
  tools: ['node'],
  synthesize(folder, outdir) {
    buildPackage('js', folder);
    const modules = path.join(folder, 'node_modules');
    const library = path.join(modules, 'cdk-lambda-microvms');
    mkdirSync(library, { recursive: true });
    const [archive] = readdirSync(path.join(folder, 'js'));
    run('tar', ['-xzf', path.join(folder, 'js', archive), '--strip-components=1', '-C', library], { cwd: folder });
    for (const peer of ['aws-cdk-lib', 'constructs']) {
      symlinkSync(path.join(PROJECT_ROOT, 'node_modules', peer), path.join(modules, peer));
    }
    cpSync(path.join(__dirname, 'typescript'), folder, { recursive: true });
    // Links resolve to themselves, so that the library and the app share one aws-cdk-lib.
    run(process.execPath, ['--preserve-symlinks', '--preserve-symlinks-main', path.join(PROJECT_ROOT, 'node_modules', 'tsx', 'dist', 'cli.mjs'), 'app.ts'], {
      cwd: folder,
      env: { CDK_OUTDIR: outdir },
    });
  },
};

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { generateBindings, Language, PROJECT_ROOT, run } from './language';

const MODULE = 'github.com/cdk-lambda-microvms/cdk-lambda-microvms-go/cdklambdamicrovms';

export const go: Language = {
  name: 'go',
  tools: ['go'],
  synthesize(folder, outdir) {
    // A Go package is its source: there is nothing to build.
    generateBindings('go', PROJECT_ROOT, folder);
    const app = path.join(folder, 'app');
    mkdirSync(app);
    copyFileSync(path.join(__dirname, 'go', 'app.go'), path.join(app, 'app.go'));
    writeFileSync(path.join(app, 'go.mod'), [
      'module app', '', 'go 1.25', '', `require ${MODULE} v0.0.0`, '', `replace ${MODULE} => ${path.join(folder, 'go', 'cdklambdamicrovms')}`, '',
    ].join('\n'));
    run('go', ['mod', 'tidy'], { cwd: app });
    run('go', ['run', '.'], { cwd: app, env: { CDK_OUTDIR: outdir } });
  },
};

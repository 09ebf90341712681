import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { cdkBindings, generateBindings, Language, PROJECT_ROOT, run } from './language';

export const java: Language = {
  name: 'java',
  tools: ['java', 'javac', 'mvn'],
  synthesize(folder, outdir) {
    generateBindings('java', PROJECT_ROOT, folder);
    const cdk = cdkBindings('java');
    const bindings = [folder, ...readdirSync(cdk).map((name) => path.join(cdk, name))].map((each) => path.join(each, 'java'));
    const jars = path.join(download(path.join(folder, 'java', 'pom.xml'), path.join(folder, 'dependencies')), '*');
    const classes = path.join(folder, 'classes');
    const sources = bindings.map((each) => path.join(each, 'src', 'main', 'java'));
    const resources = bindings.map((each) => path.join(each, 'src', 'main', 'resources'));
    // With a source path, javac compiles what the app reaches: a small part of aws-cdk-lib's 13,000 classes.
    run('javac', [
      '-proc:none', '-nowarn', '-encoding', 'UTF-8', '-cp', jars, '-sourcepath', sources.join(path.delimiter), '-d', classes, path.join(__dirname, 'java', 'App.java'),
    ], { cwd: folder });
    run('java', ['-cp', [classes, jars, ...resources].join(path.delimiter), 'App'], { cwd: folder, env: { CDK_OUTDIR: outdir } });
  },
};

/** The dependencies the package's own pom names, but for aws-cdk-lib, whose bindings were generated. */
function download(pomFile: string, folder: string): string {
  const pom = readFileSync(pomFile, 'utf8').replace(/<dependency>\s*<groupId>software\.amazon\.awscdk<[^]*?<\/dependency>/g, '');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'pom.xml'), pom);
  const jars = path.join(folder, 'jars');
  run('mvn', ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`], { cwd: folder });
  return jars;
}

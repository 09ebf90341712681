import { awscdk, javascript } from 'projen';

/**
 * Bundles the custom-resource handlers with their SDK into `lib/`, where the provider constructs find them from
 * `src/` and from `lib/` alike.
 *
 * The AWS SDK is bundled because the Lambda runtime's own copy does not know Lambda MicroVMs.
 * esbuild's ESM entry points (`mainFields`) let it drop the SDK code no handler uses: 259 KB instead of 483 KB.
 */
export function shipHandlers(project: awscdk.AwsCdkConstructLibrary, handlers: Record<string, string[]>) {
  for (const [resource, entryPoints] of Object.entries(handlers)) {
    // jsii leaves this folder out of the project's own tsconfig; editors and the linter need one that has it.
    new javascript.TypescriptConfig(project, {
      fileName: `src/custom-resources/${resource}/handler/tsconfig.json`,
      extends: javascript.TypescriptConfigExtends.fromTypescriptConfigs([project.tsconfig!]),
      compilerOptions: { rootDir: '../../..', noEmit: true },
      include: ['*.ts'],
      exclude: [],
    });
    for (const entryPoint of entryPoints) {
      project.bundler.addBundle(`src/custom-resources/${resource}/handler/${entryPoint}.lambda.ts`, {
        platform: 'node',
        target: 'node22',
        format: 'cjs',
        minify: true,
        mainFields: ['module', 'main'],
        esbuildArgs: { '--alias:@aws-sdk/credential-provider-node': './src/custom-resources/common/handler/function-credentials.ts' },
        externals: [],
        tsconfigPath: 'test/tsconfig.json',
      });
    }
  }
  project.eslint?.allowDevDeps('src/custom-resources/*/handler/**');
}

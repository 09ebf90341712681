import { join } from 'path';
import { LegacyESLint } from 'eslint/use-at-your-own-risk';

const ROOT = join(__dirname, '..', '..');

const eslint = new LegacyESLint({ cwd: ROOT });

/** Lints a source as if it were a file of the project, and returns the import rules it breaks. */
async function broken(file: string, source: string): Promise<string[]> {
  const [result] = await eslint.lintText(source, { filePath: join(ROOT, file) });
  return result.messages.map((message) => message.ruleId ?? message.message).filter((rule) => /restricted/.test(rule));
}

const HANDLER = 'src/custom-resources/microvm-image/handler';

test.each([
  ['src/constructs/microvm-image.ts', "import { readLedger } from '../custom-resources/microvm-image/handler/ledger';\nexport const x = readLedger;\n"],
  ['src/constructs/microvm-image.ts', "import { RULES } from '../policy/private/rules/all';\nexport const x = RULES;\n"],
  ['src/policy/microvm-policy-checks.ts', "import { MicrovmImage } from '../constructs/microvm-image';\nexport const x = MicrovmImage;\n"],
  ['src/policy/private/launches.ts', "import { readLedger } from '../../custom-resources/microvm-image/handler/ledger';\nexport const x = readLedger;\n"],
  ['src/custom-resources/microvm-image-provider.ts', "import { RULES } from '../policy/private/rules/all';\nexport const x = RULES;\n"],
  ['src/constructs/private/naming.ts', "import { MicrovmImage } from '../microvm-image';\nexport const x = MicrovmImage;\n"],
  ['src/custom-resources/microvm-image/contract.ts', "import { stackPrefix } from '../../constructs/private/naming';\nexport const x = stackPrefix;\n"],
  [`${HANDLER}/decide-ensure.ts`, "import { Driver } from './driver';\nexport const x = Driver;\n"],
  [`${HANDLER}/decide-ensure.ts`, "import { LambdaMicrovmsClient } from '@aws-sdk/client-lambda-microvms';\nexport const x = LambdaMicrovmsClient;\n"],
  [`${HANDLER}/decide-delete.ts`, "import { readFileSync } from 'fs';\nexport const x = readFileSync;\n"],
  [`${HANDLER}/decide-delete.ts`, 'export const x = Date.now();\n'],
  [`${HANDLER}/decide-delete.ts`, 'export const x = Math.random();\n'],
  [`${HANDLER}/driver.ts`, "import { SdkAdapter } from './sdk-adapter';\nexport const x = SdkAdapter;\n"],
  [`${HANDLER}/sdk-adapter.ts`, "import { Driver } from './driver';\nexport const x = Driver;\n"],
  ['src/custom-resources/microvm-smoke-test/handler/decide-test.ts', "import { SdkAdapter } from './sdk-adapter';\nexport const x = SdkAdapter;\n"],
  ['src/custom-resources/microvm-image-publication/handler/driver.ts', "import { SSMClient } from '@aws-sdk/client-ssm';\nexport const x = SSMClient;\n"],
  ['src/custom-resources/microvm-image-publication/contract.ts', "import { Tag } from '../microvm-image/contract';\nexport const x = Tag;\n"],
])('lint refuses in %s: %s', async (file, source) => {
  expect(await broken(file, source)).not.toEqual([]);
});

test.each([
  [`${HANDLER}/driver.ts`, "import { decideEnsure } from './decide-ensure';\nexport const x = decideEnsure;\n"],
  [`${HANDLER}/decide-ensure.ts`, "import { Tag } from '../contract';\nexport const x = Tag;\n"],
  ['src/policy/microvm-policy-checks.ts', "import { stackPrefix } from '../constructs/private/naming';\nexport const x = stackPrefix;\n"],
  ['src/policy/private/launches.ts', "import { RESOURCE_TYPE } from '../../custom-resources/microvm-image/contract';\nexport const x = RESOURCE_TYPE;\n"],
  ['src/custom-resources/microvm-image-publication/contract.ts', "import { text } from '../property-codec';\nexport const x = text;\n"],
  ['src/constructs/microvm-image.ts', "import { stackPrefix } from './private/naming';\nexport const x = stackPrefix;\n"],
])('lint allows in %s: %s', async (file, source) => {
  expect(await broken(file, source)).toEqual([]);
});

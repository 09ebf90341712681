import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One folder for all that tests, the CDK and the emulator write to the temporary folder: a run leaves nothing on the machine. */
export default function () {
  process.env.TMPDIR = mkdtempSync(join(tmpdir(), 'cdk-lambda-microvms-'));
}

import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { ILocalBundling } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';

/**
 * The code of a Python function together with what its requirements.txt asks for: the boto3 in the Lambda runtime may not
 * know MicroVMs yet. Installed with the Python of this machine, or in a container where there is none.
 */
export function pythonCode(folder: string, runtime: lambda.Runtime): lambda.Code {
  const install = ['pip', 'install', '--quiet', '--no-warn-conflicts', '--disable-pip-version-check', '--requirement', 'requirements.txt', '--target'];
  const local: ILocalBundling = {
    tryBundle: (outputFolder) => {
      // boto3 is all Python, so any version and platform installs the same files.
      const { status } = spawnSync('python3', ['-m', ...install, outputFolder], { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] });
      if (status !== 0) {
        return false;
      }
      cpSync(folder, outputFolder, { recursive: true });
      return true;
    },
  };
  return lambda.Code.fromAsset(folder, {
    bundling: {
      image: runtime.bundlingImage,
      command: ['sh', '-c', `${install.join(' ')} /asset-output && cp -r . /asset-output`],
      local,
    },
  });
}

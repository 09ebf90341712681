import { LambdaMicrovmsClient } from '@aws-sdk/client-lambda-microvms';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { Sandbox } from './sandbox';

const sts = new STSClient({});

export interface SandboxRequest {
  /** Who asks, as your own sign-in has found out. Never what they say of themselves. */
  readonly tenant: string;
  readonly action: 'open' | 'run' | 'suspend' | 'resume' | 'close';
  /** The sandbox, for every action but `open`, which answers it. */
  readonly sandbox?: string;
  /** Python, for `run`. */
  readonly code?: string;
}

/** Does what a tenant asks for, with the role of that tenant: a mistake in here ends at the border of the tenant, too. */
export async function handler({ tenant, action, sandbox, code }: SandboxRequest): Promise<unknown> {
  if (!/^[a-z0-9-]{1,20}$/.test(tenant)) {
    throw new Error('tenant must be 1 to 20 small letters, digits and hyphens');
  }
  const credentials = await credentialsOf(tenant);
  const client = new LambdaMicrovmsClient({ credentials });
  try {
    if (action === 'open') {
      return { sandbox: await Sandbox.open(client, await settingsOf(tenant, credentials)) };
    }
    if (!sandbox) {
      throw new Error(`sandbox must be given to ${action} one`);
    }
    const opened = new Sandbox(client, sandbox);
    switch (action) {
      case 'run': return await opened.run(code ?? '');
      case 'suspend': return await opened.suspend();
      case 'resume': return await opened.resume();
      case 'close': return await opened.close();
    }
  } finally {
    client.destroy();
  }
}

async function credentialsOf(tenant: string) {
  const { Credentials: credentials } = await sts.send(new AssumeRoleCommand({
    RoleArn: process.env.TENANT_ROLE_PREFIX! + tenant,
    // CloudTrail tells it for each call.
    RoleSessionName: tenant,
    DurationSeconds: 900,
  }));
  return { accessKeyId: credentials!.AccessKeyId!, secretAccessKey: credentials!.SecretAccessKey!, sessionToken: credentials!.SessionToken! };
}

async function settingsOf(tenant: string, credentials: Awaited<ReturnType<typeof credentialsOf>>): Promise<string> {
  const ssm = new SSMClient({ credentials });
  try {
    const { Parameter: parameter } = await ssm.send(new GetParameterCommand({ Name: process.env.PARAMETER_PREFIX! + tenant }));
    return parameter!.Value!;
  } finally {
    ssm.destroy();
  }
}

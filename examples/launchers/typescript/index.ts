import { LambdaMicrovmsClient, RunMicrovmCommand, RunMicrovmCommandInput } from '@aws-sdk/client-lambda-microvms';

/** The profile of the stack, as the input of RunMicrovm. */
const settings: RunMicrovmCommandInput = JSON.parse(process.env.MICROVM_LAUNCH!);
const client = new LambdaMicrovmsClient({});

export interface Job {
  /** What to download. */
  readonly url: string;
}

export interface Launched {
  readonly microvmId: string;
  readonly imageVersion: string;
}

/** Launches a MicroVM for the job, and does not wait for it. */
export async function handler({ url }: Job): Promise<Launched> {
  const { microvmId, imageVersion } = await client.send(new RunMicrovmCommand({ ...settings, runHookPayload: JSON.stringify({ url }) }));
  return { microvmId: microvmId!, imageVersion: imageVersion! };
}

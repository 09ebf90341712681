import {
  CreateMicrovmAuthTokenCommand, GetMicrovmCommand, LambdaMicrovmsClient, ResumeMicrovmCommand, RunMicrovmCommand,
  SuspendMicrovmCommand, TerminateMicrovmCommand,
} from '@aws-sdk/client-lambda-microvms';

const APP_PORT = 8080;
const READY_ATTEMPTS = 40;
const READY_DELAY_MS = 500;

/** A sandbox of a tenant, reached with the credentials of the tenant: the service refuses the sandbox of another. */
export class Sandbox {
  /** @param settings the profile of the tenant, as the input of RunMicrovm */
  public static async open(client: LambdaMicrovmsClient, settings: string): Promise<string> {
    const { microvmId } = await client.send(new RunMicrovmCommand(JSON.parse(settings)));
    return microvmId!;
  }

  constructor(private readonly client: LambdaMicrovmsClient, private readonly microvmIdentifier: string) {}

  /** Runs Python in it. A suspended sandbox wakes up. */
  public async run(code: string): Promise<unknown> {
    const { microvmIdentifier } = this;
    const { endpoint } = await this.client.send(new GetMicrovmCommand({ microvmIdentifier }));
    const { authToken } = await this.client.send(new CreateMicrovmAuthTokenCommand({
      microvmIdentifier,
      expirationInMinutes: 15,
      // Not the hook port: whoever reaches it can play the service.
      allowedPorts: [{ port: APP_PORT }],
    }));
    const call = (method: string, path: string, body?: string) => fetch(`https://${endpoint}${path}`, {
      method, body, headers: authToken, signal: AbortSignal.timeout(30_000),
    });
    await isReady(() => call('GET', '/health'));
    const response = await call('POST', '/run', JSON.stringify({ code }));
    if (!response.ok) {
      throw new Error(`the sandbox answered HTTP ${response.status}: ${await response.text()}`);
    }
    return response.json();
  }

  public async suspend(): Promise<void> {
    await this.client.send(new SuspendMicrovmCommand({ microvmIdentifier: this.microvmIdentifier }));
  }

  public async resume(): Promise<void> {
    await this.client.send(new ResumeMicrovmCommand({ microvmIdentifier: this.microvmIdentifier }));
  }

  public async close(): Promise<void> {
    await this.client.send(new TerminateMicrovmCommand({ microvmIdentifier: this.microvmIdentifier }));
  }
}

/** Connecting is the way to find out, and to wake it up: the state the API reports lags behind. */
async function isReady(health: () => Promise<Response>): Promise<void> {
  let last = '';
  for (let attempt = 1; attempt <= READY_ATTEMPTS; attempt++) {
    try {
      const { ok, status } = await health();
      if (ok) {
        return;
      }
      last = `HTTP ${status}`;
    } catch (error) {
      last = String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, READY_DELAY_MS));
  }
  throw new Error(`the sandbox did not answer in ${READY_ATTEMPTS} attempts, the last one: ${last}`);
}

import {
  CreateMicrovmAuthTokenCommand, GetMicrovmCommand, LambdaMicrovmsClient, ResumeMicrovmCommand, RunMicrovmCommand, SuspendMicrovmCommand,
  TerminateMicrovmCommand,
} from '@aws-sdk/client-lambda-microvms';

const APP_PORT = 8080;
const ATTEMPTS = 60;
const ATTEMPT_DELAY_MS = 500;

const client = new LambdaMicrovmsClient({});

export interface LaunchRequest {
  /** JavaScript to run in the sandbox. */
  readonly code: string;
  /** Whether the MicroVM is kept for more code: suspended, with all it has in memory. Otherwise it ends with this code. */
  readonly keep?: boolean;
  /** A MicroVM that was kept. Without it the code gets a new one. */
  readonly microvmId?: string;
}

export interface LaunchResult {
  readonly microvmId: string;
  readonly imageVersion: string;
  /** What the app in the MicroVM answered. */
  readonly result: unknown;
}

/** Runs the code in a MicroVM, which is suspended or gone when this returns. */
export async function handler({ code, keep = false, microvmId: kept }: LaunchRequest): Promise<LaunchResult> {
  const microvm = kept ? await resume(kept) : await run(keep ? 'LAUNCH_SESSION' : 'LAUNCH_ONCE');
  const microvmIdentifier = microvm.microvmId!;
  let isKept = false;
  try {
    const { authToken } = await client.send(new CreateMicrovmAuthTokenCommand({
      microvmIdentifier,
      expirationInMinutes: 15,
      // Not the hook port: whoever reaches it can play the service.
      allowedPorts: [{ port: APP_PORT }],
    }));
    const app = new App(microvm.endpoint!, authToken!);
    await app.isReady();
    const result = await app.run(code);
    if (keep) {
      await suspend(microvmIdentifier);
      isKept = true;
    }
    return { microvmId: microvmIdentifier, imageVersion: microvm.imageVersion!, result };
  } finally {
    if (!isKept) {
      await client.send(new TerminateMicrovmCommand({ microvmIdentifier }));
    }
  }
}

/** Everything a launch needs comes from the launch profile, as the input of RunMicrovm. */
async function run(profile: string) {
  return client.send(new RunMicrovmCommand(JSON.parse(setting(profile))));
}

async function resume(microvmIdentifier: string) {
  await client.send(new ResumeMicrovmCommand({ microvmIdentifier }));
  return client.send(new GetMicrovmCommand({ microvmIdentifier }));
}

/** Returns when it is suspended: until then it cannot be resumed. */
async function suspend(microvmIdentifier: string): Promise<void> {
  await client.send(new SuspendMicrovmCommand({ microvmIdentifier }));
  await retry('suspend', async () => {
    const { state, stateReason } = await client.send(new GetMicrovmCommand({ microvmIdentifier }));
    return state === 'SUSPENDED' ? undefined : `${state} ${stateReason ?? ''}`;
  });
}

/** The app in one MicroVM. */
class App {
  private readonly url: string;

  constructor(endpoint: string, private readonly authToken: Record<string, string>) {
    this.url = `https://${endpoint}`;
  }

  /** Connecting is the way to find out: the state the API reports lags behind. */
  public async isReady(): Promise<void> {
    await retry('answer', async () => {
      try {
        const response = await this.request('GET', '/health');
        return response.ok ? undefined : `HTTP ${response.status} ${await response.text()}`;
      } catch (error) {
        return String(error);
      }
    });
  }

  public async run(code: string): Promise<unknown> {
    const response = await this.request('POST', '/run', JSON.stringify({ code }));
    if (!response.ok) {
      throw new Error(`the MicroVM answered HTTP ${response.status}: ${await response.text()}`);
    }
    return response.json();
  }

  private request(method: string, path: string, body?: string): Promise<Response> {
    return fetch(this.url + path, { method, body, headers: this.authToken, signal: AbortSignal.timeout(15_000) });
  }
}

/** @param attempt what is in the way; undefined when it has succeeded */
async function retry(what: string, attempt: () => Promise<string | undefined>): Promise<void> {
  let last: string | undefined;
  for (let attempts = 0; attempts < ATTEMPTS; attempts++) {
    last = await attempt();
    if (last === undefined) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, ATTEMPT_DELAY_MS));
  }
  throw new Error(`the MicroVM did not ${what} in ${ATTEMPTS} attempts, the last one: ${last}`);
}

function setting(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`the environment variable ${name} is missing`);
  }
  return value;
}

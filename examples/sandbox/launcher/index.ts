import {
  CreateMicrovmAuthTokenCommand, LambdaMicrovmsClient, RunMicrovmCommand, TerminateMicrovmCommand,
} from '@aws-sdk/client-lambda-microvms';

const APP_PORT = 8080;
const READY_ATTEMPTS = 60;
const READY_DELAY_MS = 500;

const client = new LambdaMicrovmsClient({});

export interface LaunchRequest {
  /** JavaScript to run in the sandbox. */
  readonly code: string;
}

export interface LaunchResult {
  readonly microvmId: string;
  readonly imageVersion: string;
  /** What the app in the MicroVM answered. */
  readonly result: unknown;
}

/** Runs the code in a MicroVM of its own, which is gone when this returns. */
export async function handler(request: LaunchRequest): Promise<LaunchResult> {
  const microvm = await client.send(new RunMicrovmCommand({
    imageIdentifier: setting('IMAGE_ARN'),
    imageVersion: setting('IMAGE_VERSION'),
    executionRoleArn: setting('EXECUTION_ROLE_ARN'),
    logging: { cloudWatch: { logGroup: setting('LOG_GROUP_NAME') } },
    // A list left out is not "none": the service attaches its defaults.
    ingressNetworkConnectors: [setting('INGRESS_CONNECTOR_ARN')],
    egressNetworkConnectors: [setting('EGRESS_CONNECTOR_ARN')],
    // Should this function die before it terminates the MicroVM: gone a minute after the last traffic, at the latest in five.
    idlePolicy: { maxIdleDurationSeconds: 60, suspendedDurationSeconds: 0, autoResumeEnabled: false },
    maximumDurationInSeconds: 300,
  }));
  const microvmId = microvm.microvmId!;
  try {
    const { authToken } = await client.send(new CreateMicrovmAuthTokenCommand({
      microvmIdentifier: microvmId,
      expirationInMinutes: 15,
      // Not the hook port: whoever reaches it can play the service.
      allowedPorts: [{ port: APP_PORT }],
    }));
    const app = new App(microvm.endpoint!, authToken!);
    await app.isReady();
    return { microvmId, imageVersion: microvm.imageVersion!, result: await app.run(request.code) };
  } finally {
    await client.send(new TerminateMicrovmCommand({ microvmIdentifier: microvmId }));
  }
}

/** The app in one MicroVM. */
class App {
  private readonly url: string;

  constructor(endpoint: string, private readonly authToken: Record<string, string>) {
    // The service answers a host name, and always speaks TLS. An emulator answers a loopback port, which has no certificate.
    this.url = `${endpoint.startsWith('127.0.0.1:') ? 'http' : 'https'}://${endpoint}`;
  }

  /** Connecting is the way to find out: the state the API reports lags behind. */
  public async isReady(): Promise<void> {
    let last = '';
    for (let attempt = 1; attempt <= READY_ATTEMPTS; attempt++) {
      try {
        const response = await this.request('GET', '/health');
        if (response.ok) {
          return;
        }
        last = `HTTP ${response.status} ${await response.text()}`;
      } catch (error) {
        last = String(error);
      }
      await new Promise((resolve) => setTimeout(resolve, READY_DELAY_MS));
    }
    throw new Error(`the MicroVM did not answer in ${READY_ATTEMPTS} attempts, the last one: ${last}`);
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

function setting(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`the environment variable ${name} is missing`);
  }
  return value;
}

import { request, RequestOptions } from 'node:https';
import * as sdk from '@aws-sdk/client-lambda-microvms';
import { strToU8, zipSync } from 'fflate';
import { MicrovmSimulator, SimulatorOptions } from '../index';

export const BUILD_MS = 150_000;
export const ROLE = 'arn:aws:iam::000000000000:role/build';
export const BASE = 'arn:aws:lambda:us-east-1:aws:microvm-image:al2023-1';
export const ARTIFACT = 's3://artifacts/app.zip';
export const CREDENTIALS = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' };

export function zip(files: Record<string, string>): Uint8Array {
  return zipSync(Object.fromEntries(Object.entries(files).map(([path, text]) => [path, strToU8(text)])));
}

export function connector(name: string): string {
  return `arn:aws:lambda:us-east-1:aws:network-connector:aws-network-connector:${name}`;
}

/** A simulator with the real SDK client at it and one good artifact in store. */
export class World {
  public static async start(options: SimulatorOptions = {}): Promise<World> {
    const sim = await MicrovmSimulator.start(options);
    sim.artifacts.put(ARTIFACT, zip({ 'Dockerfile': 'FROM public.ecr.aws/lambda/microvms:al2023-minimal\nCOPY app.js /app.js\nRUN echo built', 'app.js': '1' }));
    return new World(sim);
  }

  public readonly config = { baseImageArn: BASE, buildRoleArn: ROLE, codeArtifact: { uri: ARTIFACT } };
  public readonly client: sdk.LambdaMicrovmsClient;

  private constructor(public readonly sim: MicrovmSimulator) {
    this.client = this.clientWith({ maxAttempts: 1 });
  }

  public clientWith(options: sdk.LambdaMicrovmsClientConfig): sdk.LambdaMicrovmsClient {
    return new sdk.LambdaMicrovmsClient({ endpoint: this.sim.endpoint, region: 'us-east-1', credentials: CREDENTIALS, ...options });
  }

  public async create(name: string, more: Partial<sdk.CreateMicrovmImageCommandInput> = {}) {
    return this.client.send(new sdk.CreateMicrovmImageCommand({ ...this.config, name, ...more }));
  }

  public async update(name: string, more: Partial<sdk.UpdateMicrovmImageCommandInput> = {}) {
    return this.client.send(new sdk.UpdateMicrovmImageCommand({ ...this.config, imageIdentifier: this.arn(name), ...more }));
  }

  /** Creates an image and lets its build end. */
  public async built(name: string, more: Partial<sdk.CreateMicrovmImageCommandInput> = {}): Promise<string> {
    const { imageArn } = await this.create(name, more);
    await this.settle();
    return imageArn!;
  }

  public async rebuilt(name: string, more: Partial<sdk.UpdateMicrovmImageCommandInput> = {}): Promise<string> {
    const { imageVersion } = await this.update(name, more);
    await this.settle();
    return imageVersion!;
  }

  public async settle(): Promise<void> {
    await this.sim.clock.advance(BUILD_MS);
  }

  public arn(name: string): string {
    return this.sim.imageArn(name);
  }

  public image(name: string) {
    return this.client.send(new sdk.GetMicrovmImageCommand({ imageIdentifier: this.arn(name) }));
  }

  public version(name: string, imageVersion: string) {
    return this.client.send(new sdk.GetMicrovmImageVersionCommand({ imageIdentifier: this.arn(name), imageVersion }));
  }

  public deleteImage(name: string) {
    return this.client.send(new sdk.DeleteMicrovmImageCommand({ imageIdentifier: this.arn(name) }));
  }

  public deleteVersion(name: string, imageVersion: string) {
    return this.client.send(new sdk.DeleteMicrovmImageVersionCommand({ imageIdentifier: this.arn(name), imageVersion }));
  }

  public setStatus(name: string, imageVersion: string, status: sdk.MicrovmImageVersionStatus) {
    return this.client.send(new sdk.UpdateMicrovmImageVersionCommand({ imageIdentifier: this.arn(name), imageVersion, status }));
  }

  /** Both builds of a version with their snapshots. */
  public async builds(name: string, imageVersion: string) {
    const ids = { imageIdentifier: this.arn(name), imageVersion };
    const { items } = await this.client.send(new sdk.ListMicrovmImageBuildsCommand(ids));
    return Promise.all(items!.map(({ buildId }) => this.client.send(new sdk.GetMicrovmImageBuildCommand({ ...ids, buildId }))));
  }

  public run(name: string, more: Partial<sdk.RunMicrovmCommandInput> = {}) {
    return this.client.send(new sdk.RunMicrovmCommand({ imageIdentifier: this.arn(name), ...more }));
  }

  /** Launches a MicroVM of the image `app` and lets it start. */
  public async launched(more: Partial<sdk.RunMicrovmCommandInput> = {}) {
    const microvm = await this.run('app', more);
    await this.sim.clock.advance(2_000);
    return { id: microvm.microvmId!, host: microvm.endpoint! };
  }

  public microvm(microvmIdentifier: string) {
    return this.client.send(new sdk.GetMicrovmCommand({ microvmIdentifier }));
  }

  /** Asks for it, and answers the state it shows at once. */
  public async suspend(microvmIdentifier: string) {
    await this.client.send(new sdk.SuspendMicrovmCommand({ microvmIdentifier }));
    return (await this.microvm(microvmIdentifier)).state;
  }

  /** Asks for it, and answers the state it shows at once. */
  public async resume(microvmIdentifier: string) {
    await this.client.send(new sdk.ResumeMicrovmCommand({ microvmIdentifier }));
    return (await this.microvm(microvmIdentifier)).state;
  }

  public terminate(microvmIdentifier: string) {
    return this.client.send(new sdk.TerminateMicrovmCommand({ microvmIdentifier }));
  }

  /** The header with a token. */
  public async token(microvmIdentifier: string, allowedPorts: sdk.PortSpecification[] = [{ port: 8080 }], expirationInMinutes = 15) {
    const { authToken } = await this.client.send(new sdk.CreateMicrovmAuthTokenCommand({ microvmIdentifier, allowedPorts, expirationInMinutes }));
    return authToken as { 'X-aws-proxy-auth': string };
  }

  /** Status and body that an endpoint answers. */
  public async ask(host: string, headers: Record<string, string>, path = '/', body?: string): Promise<[number, string]> {
    return new Promise((resolve, reject) => {
      this.endpointRequest(host, { path, headers, method: body === undefined ? 'GET' : 'POST' })
        .once('error', reject)
        .once('response', (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk) => { text += chunk; })
            .once('end', () => resolve([response.statusCode!, text])).once('error', reject);
        })
        .end(body);
    });
  }

  /** A request to an endpoint, from somebody who trusts its CA alone. */
  public endpointRequest(host: string, options: RequestOptions) {
    const [hostname, port] = host.split(':');
    return request({ hostname, port, ca: this.sim.endpointCa, agent: false, ...options });
  }
}

/** The error of a call that must fail: its name, HTTP status and message. */
export async function refusal(call: Promise<unknown>): Promise<{ name: string; status: number; message: string }> {
  try {
    await call;
  } catch (error) {
    const { name, message, $metadata } = error as sdk.LambdaMicrovmsServiceException;
    return { name, status: $metadata?.httpStatusCode ?? 0, message };
  }
  throw new Error('the call succeeded');
}

/** Whether a process runs, or is stopped. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

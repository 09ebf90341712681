import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateMicrovmAuthTokenCommand, GetMicrovmCommand, LambdaMicrovmsClient, ListMicrovmsCommand,
  MicrovmItem, RunMicrovmCommand, TagResourceCommand, TerminateMicrovmCommand, UntagResourceCommand,
} from '@aws-sdk/client-lambda-microvms';
import { Answer, CheckResult, MicrovmView, ServicePort } from './service-port';
import { tagsOfImage } from '../../common/handler/image-tags';
import { CallOptions, refusing, unlessNotFound } from '../../common/handler/sdk-call';
import { ServiceRefusal } from '../../common/handler/service-refusal';
import { HttpCheckProperties, SmokeTestProperties } from '../contract';

/** The largest page the service allows. */
const PAGE = 50;
/** A runaway cursor must not eat the tick. */
const MAX_PAGES = 100;
const LOG_LINES = 8;
const LOG_PAGES = 5;
/** A token is for one tick, or for one run of the user's function. */
const TOKEN_MINUTES = 10;
const ANSWER_WITHIN_MS = 10_000;
/** The beginning of a body is enough to judge it by, and to show. */
const MAX_BODY_BYTES = 64 * 1024;
/** What the endpoint wants a token in. */
const AUTH_HEADER = 'X-aws-proxy-auth';

/** Calls an `https:` address. Tests put another in its place, which trusts their own certificates. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** The services through the AWS SDK, and the endpoint of a MicroVM. The only file that knows the SDK. */
export class SdkAdapter implements ServicePort {
  private readonly microvms: LambdaMicrovmsClient;
  private readonly logs: CloudWatchLogsClient;
  private readonly functions: LambdaClient;

  /** @param abortSignal no call outlives it */
  constructor(private readonly abortSignal?: AbortSignal, private readonly fetchEndpoint: Fetch = fetch) {
    const requestHandler = { connectionTimeout: 3_000, requestTimeout: 15_000 };
    this.microvms = new LambdaMicrovmsClient({ maxAttempts: 3, requestHandler });
    this.logs = new CloudWatchLogsClient({ maxAttempts: 2, requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000 } });
    // A function is asked once: asking again could repeat what it does. It may take as long as the tick.
    this.functions = new LambdaClient({ maxAttempts: 1, requestHandler: { connectionTimeout: 3_000, requestTimeout: 300_000 } });
  }

  public async getTags(imageArn: string): Promise<Record<string, string> | undefined> {
    return tagsOfImage(this.microvms, imageArn, { abortSignal: this.abortSignal });
  }

  public async listMicrovms(imageArn: string, executionRoleArn: string, since: number): Promise<MicrovmView[]> {
    const found: MicrovmView[] = [];
    for (const { microvmId } of await this.recentMicrovms(imageArn, since)) {
      // The list does not tell the role.
      const microvm = await unlessNotFound(undefined, async () => this.get(String(microvmId)));
      if (microvm?.executionRoleArn === executionRoleArn && microvm.state !== 'TERMINATED') {
        found.push(microvm);
      }
    }
    return found;
  }

  public async launch(test: SmokeTestProperties, maximumDurationInSeconds: number, clientToken: string): Promise<MicrovmView> {
    const { microvmId } = await this.call('RunMicrovm', (options) => this.microvms.send(new RunMicrovmCommand({
      imageIdentifier: test.imageArn,
      imageVersion: test.imageVersion,
      executionRoleArn: test.executionRoleArn,
      ingressNetworkConnectors: test.ingressNetworkConnectors,
      egressNetworkConnectors: test.egressNetworkConnectors,
      logging: { cloudWatch: { logGroup: test.logGroup } },
      maximumDurationInSeconds,
      runHookPayload: test.runHookPayload,
      clientToken,
    }), options));
    // The answer to a token that was used before is the first one, however old.
    return this.get(String(microvmId));
  }

  public async callApp(microvm: MicrovmView, port: number, { path }: HttpCheckProperties): Promise<Answer> {
    const token = await this.token(microvm, port);
    try {
      const response = await this.fetchEndpoint(`https://${microvm.endpoint}${path}`, {
        headers: { [AUTH_HEADER]: token, 'X-aws-proxy-port': String(port) },
        redirect: 'manual',
        signal: AbortSignal.any([AbortSignal.timeout(ANSWER_WITHIN_MS), ...(this.abortSignal ? [this.abortSignal] : [])]),
      });
      return { type: 'response', status: response.status, body: await beginning(response) };
    } catch (error) {
      const { message, cause } = error as Error & { cause?: Error };
      return { type: 'silence', why: `no connection (${cause?.message || message})` };
    }
  }

  public async invokeCheck(functionArn: string, microvm: MicrovmView, test: SmokeTestProperties): Promise<CheckResult> {
    const payload = {
      microvmId: microvm.microvmId,
      endpoint: microvm.endpoint,
      port: test.port,
      authToken: await this.token(microvm, test.port),
      imageArn: test.imageArn,
      imageVersion: test.imageVersion,
    };
    const { FunctionError, Payload } = await this.call('Invoke', (options) => this.functions.send(
      new InvokeCommand({ FunctionName: functionArn, Payload: JSON.stringify(payload) }), options));
    return FunctionError === undefined ? {} : { error: errorMessage(Buffer.from(Payload ?? []).toString()) };
  }

  public async terminate(microvmId: string): Promise<void> {
    await unlessNotFound(undefined, async () => void await this.call('TerminateMicrovm', (options) => this.microvms.send(
      new TerminateMicrovmCommand({ microvmIdentifier: microvmId }), options)));
  }

  public async tailLog(logGroupName: string, microvmId: string, startTime: number): Promise<string[]> {
    let lines: string[] = [];
    let nextToken: string | undefined;
    // Oldest first is the only order there is, so the end is behind everything else.
    for (let page = 0; page < LOG_PAGES; page++) {
      const answer = await this.call('FilterLogEvents', (options) => this.logs.send(
        new FilterLogEventsCommand({ logGroupName, startTime, nextToken }), options));
      const ofMicrovm = (answer.events ?? []).filter(({ logStreamName = '' }) => logStreamName.includes(microvmId));
      lines = [...lines, ...ofMicrovm.map(({ message = '' }) => message.trim()).filter(Boolean)].slice(-LOG_LINES);
      nextToken = answer.nextToken;
      if (!nextToken) {
        break;
      }
    }
    return lines;
  }

  public async tag(imageArn: string, tags: Record<string, string>): Promise<void> {
    await this.call('TagResource', (options) => this.microvms.send(new TagResourceCommand({ Resource: imageArn, Tags: tags }), options));
  }

  public async untag(imageArn: string, keys: string[]): Promise<void> {
    await this.call('UntagResource', (options) => this.microvms.send(new UntagResourceCommand({ Resource: imageArn, TagKeys: keys }), options));
  }

  private async token({ microvmId }: MicrovmView, port: number): Promise<string> {
    const { authToken } = await this.call('CreateMicrovmAuthToken', (options) => this.microvms.send(new CreateMicrovmAuthTokenCommand({
      microvmIdentifier: microvmId, expirationInMinutes: TOKEN_MINUTES, allowedPorts: [{ port }],
    }), options));
    const token = authToken?.[AUTH_HEADER];
    if (token === undefined) {
      throw new ServiceRefusal('invalid', 'CreateMicrovmAuthToken', `the answer holds no ${AUTH_HEADER}`);
    }
    return token;
  }

  private async get(microvmId: string): Promise<MicrovmView & { readonly executionRoleArn?: string }> {
    const microvm = await this.call('GetMicrovm', (options) => this.microvms.send(new GetMicrovmCommand({ microvmIdentifier: microvmId }), options));
    return {
      microvmId,
      state: String(microvm.state),
      imageVersion: String(microvm.imageVersion),
      startedAt: microvm.startedAt?.getTime() ?? 0,
      endpoint: microvm.endpoint ?? '',
      stateReason: microvm.stateReason ?? undefined,
      executionRoleArn: microvm.executionRoleArn ?? undefined,
    };
  }

  /** Those of older tests have ended by themselves, and terminated ones stay listed for a long while. */
  private async recentMicrovms(imageArn: string, since: number): Promise<MicrovmItem[]> {
    const items: MicrovmItem[] = [];
    let nextToken: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const answer = await this.call('ListMicrovms', (options) => this.microvms.send(
        new ListMicrovmsCommand({ imageIdentifier: imageArn, maxResults: PAGE, nextToken }), options));
      items.push(...(answer.items ?? []));
      nextToken = answer.nextToken || undefined;
      if (nextToken === undefined) {
        return items.filter(({ state, startedAt }) => state !== 'TERMINATED' && (startedAt?.getTime() ?? Infinity) >= since);
      }
    }
    throw new ServiceRefusal('transient', 'ListMicrovms', `more than ${MAX_PAGES} pages`);
  }

  private async call<T>(operation: string, send: (options: CallOptions) => Promise<T>): Promise<T> {
    return refusing(operation, async () => send({ abortSignal: this.abortSignal }));
  }
}

async function beginning(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= MAX_BODY_BYTES) {
      break;
    }
  }
  return Buffer.concat(chunks).toString('utf8', 0, MAX_BODY_BYTES);
}

/** What a function threw, as Lambda reports it. */
function errorMessage(payload: string): string {
  try {
    return String(JSON.parse(payload).errorMessage ?? payload);
  } catch {
    return payload;
  }
}

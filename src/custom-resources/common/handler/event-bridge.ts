import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { refusing } from './sdk-call';
import { ServiceRefusal } from './service-refusal';
import { ImageEvent } from '../../microvm-events';

/** EventBridge through the AWS SDK. Its client is made when the first event is put: most requests put none. */
export class EventBridge {
  private client?: EventBridgeClient;

  /** @param abortSignal no call outlives it */
  constructor(private readonly abortSignal?: AbortSignal) {}

  public async put(eventBusArn: string, { source, type, resources, detail }: ImageEvent): Promise<void> {
    // Nothing waits for the answer, least of all a deployment: it is given up sooner than that of other calls.
    const client = this.client ??= new EventBridgeClient({ maxAttempts: 2, requestHandler: { connectionTimeout: 2_000, requestTimeout: 5_000 } });
    const entry = { EventBusName: eventBusArn, Source: source, DetailType: type, Resources: resources, Detail: JSON.stringify(detail) };
    const answer = await refusing('PutEvents', async () => client.send(new PutEventsCommand({ Entries: [entry] }), { abortSignal: this.abortSignal }));
    const [result] = answer.Entries ?? [];
    // An entry may be refused although the call is answered with 200.
    if (answer.FailedEntryCount || result?.ErrorCode) {
      throw new ServiceRefusal('transient', 'PutEvents', `${result?.ErrorCode}: ${result?.ErrorMessage ?? ''}`);
    }
  }
}

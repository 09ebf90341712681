import { Log } from './verdict';
import { ImageEvent } from '../../microvm-events';

/** What puts events. */
export interface EventPort {
  putEvent(eventBusArn: string, event: ImageEvent): Promise<void>;
}

/** Whoever waits for an event is no part of the deployment: one that cannot be put is noted in the log. */
export async function announce(service: EventPort, eventBusArn: string, events: ImageEvent[], log: Log): Promise<void> {
  for (const event of events) {
    const what = { event: event.type, eventId: event.detail.id };
    try {
      await service.putEvent(eventBusArn, event);
      log(what);
    } catch (error) {
      log({ warning: 'event not put', ...what, error: error instanceof Error ? error.message : String(error) });
    }
  }
}

import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { Construct } from 'constructs';
import { EVENT_SOURCE } from '../../custom-resources/microvm-events';

/** What the events that a rule matches are about. */
export interface EventSelection {
  readonly type: string;
  readonly imageArn?: string;
  readonly detail?: Record<string, string[]>;
}

/** The events that a construct has its handler put, which are off until somebody wants them. */
export class ImageEvents {
  private enabled = false;

  /** @param allow lets the handler put them on a bus */
  constructor(private readonly scope: Construct, private readonly allow: (eventBusArn: string) => void, private readonly bus?: events.IEventBusRef) {
  }

  /** Where they are put. Undefined while they are off. */
  public get busArn(): string | undefined {
    return this.enabled ? this.targetArn : undefined;
  }

  /** Has the handler put events, and lets it. */
  public enable() {
    if (!this.enabled) {
      this.enabled = true;
      this.allow(this.targetArn);
    }
  }

  /** A rule on the bus, which turns the events on. */
  public rule(id: string, { type, imageArn, detail }: EventSelection, options: events.OnEventOptions): events.Rule {
    this.enable();
    const { target, crossStackScope, eventPattern, ...common } = options;
    const rule = new events.Rule(crossStackScope ?? this.scope, id, {
      ...common,
      // A pattern that is merged into another becomes part of it, and the user may use this one again.
      eventPattern: detail ? { ...eventPattern, detail: { ...eventPattern?.detail, ...detail } } : eventPattern,
      eventBus: this.bus,
      targets: target && [target],
    });
    rule.addEventPattern({ source: [EVENT_SOURCE], detailType: [type], resources: imageArn === undefined ? undefined : [imageArn] });
    return rule;
  }

  private get targetArn(): string {
    return this.bus?.eventBusRef.eventBusArn ?? Stack.of(this.scope).formatArn({
      service: 'events', resource: 'event-bus', resourceName: 'default', arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
  }
}

import * as events from 'aws-cdk-lib/aws-events';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { formatDefaultBusArn } from './arn';
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
  public rule(id: string, selection: EventSelection, options: events.OnEventOptions): events.Rule {
    this.enable();
    return eventRule(this.scope, id, selection, options, this.bus);
  }

  private get targetArn(): string {
    return this.bus?.eventBusRef.eventBusArn ?? formatDefaultBusArn(this.scope);
  }
}

/** A rule for events of this library, on the default bus unless another is given. */
export function eventRule(
  scope: Construct, id: string, { type, imageArn, detail }: EventSelection, options: events.OnEventOptions, eventBus?: events.IEventBusRef,
): events.Rule {
  const { target, crossStackScope, eventPattern, ...common } = options;
  const rule = new events.Rule(crossStackScope ?? scope, id, {
    ...common,
    // A pattern that is merged into another becomes part of it, and the user may use this one again.
    eventPattern: detail ? { ...eventPattern, detail: { ...eventPattern?.detail, ...detail } } : eventPattern,
    eventBus,
    targets: target && [target],
  });
  rule.addEventPattern({ source: [EVENT_SOURCE], detailType: [type], resources: imageArn === undefined ? undefined : [imageArn] });
  return rule;
}

/** Lets a role put the events of this library, and no others, on buses. */
export function putEventsStatement(...eventBusArns: string[]): iam.PolicyStatement {
  return new iam.PolicyStatement({
    actions: ['events:PutEvents'],
    resources: eventBusArns,
    // The key has a value for each event of a call: this is how the documentation of EventBridge compares it.
    conditions: { 'ForAllValues:StringEquals': { 'events:source': EVENT_SOURCE } },
  });
}

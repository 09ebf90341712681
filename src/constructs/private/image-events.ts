import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import { Construct } from 'constructs';
import { EVENT_SOURCE } from '../../custom-resources/microvm-events';
import { MicrovmImageProvider } from '../../custom-resources/microvm-image-provider';

/** The events of one image, which are off until somebody wants them. */
export class ImageEvents {
  private enabled = false;

  /** @param imageArn made of the image's name: a rule that needed the image itself would miss its first build */
  constructor(private readonly image: Construct, private readonly imageArn: string, private readonly bus?: events.IEventBusRef) {
  }

  /** Where they are put. Undefined while they are off. */
  public get busArn(): string | undefined {
    return this.enabled ? this.targetArn : undefined;
  }

  /** Has the handler put events, and lets it. */
  public enable() {
    if (!this.enabled) {
      this.enabled = true;
      MicrovmImageProvider.getOrCreate(this.image).allowEvents(this.targetArn);
    }
  }

  public rule(id: string, type: string, options: events.OnEventOptions): events.Rule {
    const { target, crossStackScope, ...common } = options;
    const rule = new events.Rule(crossStackScope ?? this.image, id, { ...common, eventBus: this.bus, targets: target && [target] });
    rule.addEventPattern({ source: [EVENT_SOURCE], detailType: [type], resources: [this.imageArn] });
    return rule;
  }

  private get targetArn(): string {
    return this.bus?.eventBusRef.eventBusArn ?? Stack.of(this.image).formatArn({
      service: 'events', resource: 'event-bus', resourceName: 'default', arnFormat: ArnFormat.SLASH_RESOURCE_NAME,
    });
  }
}

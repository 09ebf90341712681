import { App, CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as ssm from 'aws-cdk-lib/aws-ssm';
import { BaseImageRefresh, MicrovmCode, MicrovmImage, MicrovmImageEngine, RunningMicrovms } from '../../src';

export interface ImageSpec {
  readonly dockerfile?: string;
  readonly imageName?: string;
  readonly retain?: boolean;
  readonly terminateRunning?: boolean;
  readonly tags?: Record<string, string>;
}

export interface Scenario {
  readonly stackName: string;
  /** By construct id. */
  readonly images: Record<string, ImageSpec>;
  /** Value of a parameter beside the images. */
  readonly note?: string;
  /** A parameter that cannot be created, and which needs all images first. */
  readonly brokenSibling?: boolean;
  /** A refresh of the first image, whose state machine is the output `RefreshStateMachine`. */
  readonly refresh?: boolean;
  /** A second stack, with the version of the first image in a parameter, whose value is the output `Version`. */
  readonly consumer?: boolean;
}

export const DOCKERFILE = 'FROM public.ecr.aws/lambda/microvms:al2023-minimal\nCMD ["sleep", "infinity"]\n';
export const DOCKERFILE_2 = `${DOCKERFILE}LABEL edition="2"\n`;
export const DOCKERFILE_3 = `${DOCKERFILE}LABEL edition="3"\n`;
export const BROKEN_DOCKERFILE = `${DOCKERFILE}COPY missing.json /\n`;

/** The app all deploy tests deploy, in the state a scenario asks for. Each image's version is an output `<id>Version`. */
export function imageApp(scenario: Scenario, outdir?: string): App {
  const app = new App({ outdir, analyticsReporting: false });
  const stack = new Stack(app, scenario.stackName);
  const images = Object.entries(scenario.images).map(([id, spec]) => {
    const image = new MicrovmImage(stack, id, {
      code: MicrovmCode.fromInline({ dockerfile: spec.dockerfile ?? DOCKERFILE }),
      imageName: spec.imageName,
      removalPolicy: spec.retain ? RemovalPolicy.RETAIN : undefined,
      tags: spec.tags,
      engine: MicrovmImageEngine.custom({ runningMicrovms: spec.terminateRunning ? RunningMicrovms.TERMINATE : RunningMicrovms.FAIL }),
    });
    new CfnOutput(stack, `${id}Version`, { value: image.imageVersion });
    return image;
  });
  new ssm.StringParameter(stack, 'Note', { stringValue: scenario.note ?? '-' });
  if (scenario.refresh) {
    const { stateMachine } = new BaseImageRefresh(stack, 'Refresh', { image: images[0] });
    new CfnOutput(stack, 'RefreshStateMachine', { value: stateMachine.stateMachineArn });
  }
  if (scenario.brokenSibling) {
    const broken = new ssm.CfnParameter(stack, 'Broken', { type: 'Nonsense', value: '-' });
    images.forEach((image) => broken.node.addDependency(image));
  }
  if (scenario.consumer) {
    const consumer = new Stack(app, `${scenario.stackName}Consumer`);
    const parameter = new ssm.StringParameter(consumer, 'Parameter', { stringValue: images[0].imageVersion });
    new CfnOutput(consumer, 'Version', { value: parameter.stringValue });
  }
  return app;
}

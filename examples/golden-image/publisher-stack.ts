import * as path from 'node:path';
import { CfnOutput, Duration, Stack, StackProps } from 'aws-cdk-lib';
import {
  BaseImageRefresh, MicrovmCode, MicrovmHooks, MicrovmImage, MicrovmImageAlarms, MicrovmImageDashboard, MicrovmImageEngine, MicrovmImagePublication,
  MicrovmSmokeCheck, MicrovmSmokeTest,
} from 'cdk-lambda-microvms';
import { Construct } from 'constructs';

/** The name all teams know the image by. */
export const PUBLICATION_NAME = 'agents';

/** The platform team: each deployment builds a version, tests it and publishes it as the candidate. So does a new base image. */
export class PublisherStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);

    const image = new MicrovmImage(this, 'Image', {
      code: MicrovmCode.fromAsset(path.join(__dirname, 'image')),
      hooks: MicrovmHooks.onPort(8080, { ready: Duration.minutes(2) }),
      engine: MicrovmImageEngine.custom({ keepVersions: 10 }),
    });

    const smokeTest = new MicrovmSmokeTest(this, 'SmokeTest', {
      image,
      check: MicrovmSmokeCheck.http({ path: '/health', bodyContains: '"status":"ok"' }),
    });

    const publication = new MicrovmImagePublication(this, 'Publication', {
      image,
      publicationName: PUBLICATION_NAME,
      smokeTests: [smokeTest],
      channels: ['candidate'],
      sourceRevision: process.env.GIT_COMMIT,
    });

    const refresh = new BaseImageRefresh(this, 'Refresh', { image, publication });
    new MicrovmImageAlarms(this, 'Alarms', { image });
    new MicrovmImageDashboard(this, 'Dashboard', { images: [image] });

    new CfnOutput(this, 'Version', { value: image.imageVersion });
    new CfnOutput(this, 'Candidate', { value: publication.channelParameterName('candidate') });
    new CfnOutput(this, 'RefreshStateMachine', { value: refresh.stateMachine.stateMachineArn });
  }
}

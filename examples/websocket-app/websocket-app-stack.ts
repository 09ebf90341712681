import * as path from 'node:path';
import { CfnOutput, Duration, RemovalPolicy, Stack, StackProps } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import * as logs from 'aws-cdk-lib/aws-logs';
import {
  ExecutionRole, MicrovmCode, MicrovmConnector, MicrovmHooks, MicrovmImage, MicrovmLaunchProfile, MicrovmMemory,
} from 'cdk-lambda-microvms';
import { Construct } from 'constructs';

/** Rooms to talk in, over WebSockets: each room is a MicroVM, which sleeps while nobody is in it. */
export class WebsocketAppStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const roomLogs = this.logGroup('RoomLogs');

    const image = new MicrovmImage(this, 'Image', {
      description: 'A room: a WebSocket server that remembers what was said',
      code: MicrovmCode.fromAsset(path.join(__dirname, 'image')),
      // The memory decides how many may connect: 8 at the same time with the smallest, 128 with the largest.
      memory: MicrovmMemory.MIB_2048,
      logGroup: roomLogs,
      hooks: MicrovmHooks.onPort(9000, {
        ready: Duration.minutes(2),
        run: Duration.seconds(5),
        resume: Duration.seconds(5),
        suspend: Duration.seconds(5),
        terminate: Duration.seconds(5),
      }),
    });

    const profile = new MicrovmLaunchProfile(this, 'Launch', {
      image,
      executionRole: new ExecutionRole(this, 'RoomRole', { sourceImages: [image] }),
      logGroup: roomLogs,
      ingressConnectors: [MicrovmConnector.HTTP_INGRESS],
      // The app pings: only a room with nobody in it is idle. The next one to come wakes it up, and finds what was said.
      idlePolicy: { maxIdleDuration: Duration.minutes(5), suspendedDuration: Duration.hours(8), autoResume: true },
      maximumDuration: Duration.hours(8),
    });

    const rooms = this.roomsFunction();
    profile.addToFunction(rooms);
    profile.grants.connect(rooms);
    profile.grants.control(rooms);

    new CfnOutput(this, 'RoomsName', { value: rooms.functionName });
  }

  private roomsFunction(): lambda.Function {
    const logGroup = this.logGroup('RoomsLogs');
    const role = new iam.Role(this, 'RoomsFunctionRole', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    return new NodejsFunction(this, 'Rooms', {
      entry: path.join(__dirname, 'rooms', 'index.ts'),
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      memorySize: 256,
      timeout: Duration.seconds(30),
      role,
      logGroup,
      // The SDK in the Lambda runtime may not know MicroVMs yet: bring it along.
      bundling: { externalModules: [], mainFields: ['module', 'main'], minify: true },
    });
  }

  private logGroup(id: string): logs.LogGroup {
    return new logs.LogGroup(this, id, { retention: logs.RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY });
  }
}

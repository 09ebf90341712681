import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { MicrovmLaunchProfile } from 'cdk-lambda-microvms';
import { Construct } from 'constructs';

export interface JobMachineProps {
  readonly profile: MicrovmLaunchProfile;
}

/** Launches a MicroVM for a job, and waits until it has ended. No function is involved. */
export class JobMachine extends Construct {
  public readonly stateMachine: sfn.StateMachine;

  constructor(scope: Construct, id: string, { profile }: JobMachineProps) {
    super(scope, id);
    const iamResources = [profile.image.microvmImageRef.imageArn];

    const launch = tasks.CallAwsService.jsonPath(this, 'Launch', {
      service: 'lambdamicrovms',
      action: 'runMicrovm',
      iamAction: 'lambda:RunMicrovm',
      iamResources,
      parameters: {
        ...profile.toStepFunctionsParameters(),
        // The input of the execution is the job.
        RunHookPayload: sfn.JsonPath.jsonToString(sfn.JsonPath.objectAt('$')),
        // The same in each try, so that an answer that got lost does not cost a second MicroVM.
        ClientToken: sfn.JsonPath.hash(sfn.JsonPath.stringAt('$$.Execution.Id'), 'SHA-256'),
      },
    });
    launch.addRetry({ interval: Duration.seconds(2), maxAttempts: 5 });

    const look = tasks.CallAwsService.jsonPath(this, 'Look', {
      service: 'lambdamicrovms',
      action: 'getMicrovm',
      iamAction: 'lambda:GetMicrovm',
      iamResources,
      parameters: { MicrovmIdentifier: sfn.JsonPath.stringAt('$.MicrovmId') },
    });
    look.addRetry({ interval: Duration.seconds(2), maxAttempts: 5 });

    const wait = new sfn.Wait(this, 'Wait', { time: sfn.WaitTime.duration(Duration.seconds(15)) });
    const hasEnded = sfn.Condition.stringEquals('$.State', 'TERMINATED');
    const exitedWithZero = sfn.Condition.and(
      sfn.Condition.isPresent('$.StateReason'), sfn.Condition.stringMatches('$.StateReason', '*Exit Code: 0*'));
    const states = launch.next(wait).next(look).next(new sfn.Choice(this, 'Ended?')
      .when(sfn.Condition.and(hasEnded, exitedWithZero), new sfn.Succeed(this, 'Done'))
      .when(hasEnded, new sfn.Fail(this, 'Failed', { error: 'JobFailed', causePath: sfn.JsonPath.jsonToString(sfn.JsonPath.objectAt('$')) }))
      .otherwise(wait));

    this.stateMachine = new sfn.StateMachine(this, 'StateMachine', {
      definitionBody: sfn.DefinitionBody.fromChainable(states),
      timeout: Duration.minutes(15),
      tracingEnabled: true,
      logs: {
        level: sfn.LogLevel.ALL,
        destination: new logs.LogGroup(this, 'Logs', { retention: logs.RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY }),
      },
    });
    profile.grants.launch(this.stateMachine);
    Validations.of(this.stateMachine.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'Log delivery of Step Functions and X-Ray, which have no narrower resource',
    });
  }
}

from aws_cdk import App, Duration, RemovalPolicy, Stack, aws_lambda as lambda_, aws_logs as logs
from cdk_lambda_microvms import (
    ExecutionRole,
    MicrovmBaseImage,
    MicrovmCode,
    MicrovmConnector,
    MicrovmHooks,
    MicrovmIdlePolicy,
    MicrovmImage,
    MicrovmImageEngine,
    MicrovmLaunchProfile,
    MicrovmMemory,
    RunningMicrovms,
)

app = App(analytics_reporting=False)

publisher = Stack(app, "Publisher")
MicrovmImage(
    publisher,
    "Image",
    code=MicrovmCode.from_inline(
        dockerfile="FROM public.ecr.aws/lambda/microvms:al2023-minimal\nEXPOSE 9000\n",
        files={"hello.txt": "hello"},
    ),
    image_name="golden",
    base_image=MicrovmBaseImage.AL2023_1.newest(refresh_token="2026-12"),
    memory=MicrovmMemory.MIB_1024,
    hooks=MicrovmHooks.on_port(9000, ready=Duration.minutes(2)),
    environment={"STAGE": "prod"},
    engine=MicrovmImageEngine.custom(running_microvms=RunningMicrovms.TERMINATE, keep_versions=3),
)

consumer = Stack(app, "Consumer")
image = MicrovmImage.from_publication(consumer, "Image", publication_name="agents", channel="stable")
log_group = logs.LogGroup(consumer, "RunLogs", removal_policy=RemovalPolicy.DESTROY)
profile = MicrovmLaunchProfile(
    consumer,
    "Launch",
    image=image,
    execution_role=ExecutionRole(consumer, "ExecutionRole", log_group=log_group, source_images=[image]),
    log_group=log_group,
    ingress_connectors=[MicrovmConnector.HTTP_INGRESS],
    idle_policy=MicrovmIdlePolicy(
        max_idle_duration=Duration.minutes(15),
        suspended_duration=Duration.hours(1),
        auto_resume=True,
    ),
    maximum_duration=Duration.hours(2),
)
launcher = lambda_.Function(
    consumer,
    "Launcher",
    runtime=lambda_.Runtime.NODEJS_22_X,
    handler="index.handler",
    code=lambda_.Code.from_inline("exports.handler = async () => {};"),
)
profile.add_to_function(launcher)
profile.grants.connect(launcher)

app.synth()

import io.github.cdklambdamicrovms.ExecutionRole;
import io.github.cdklambdamicrovms.CustomEngineOptions;
import io.github.cdklambdamicrovms.MicrovmBaseImage;
import io.github.cdklambdamicrovms.MicrovmCode;
import io.github.cdklambdamicrovms.MicrovmConnector;
import io.github.cdklambdamicrovms.MicrovmHookTimeouts;
import io.github.cdklambdamicrovms.MicrovmHooks;
import io.github.cdklambdamicrovms.MicrovmIdlePolicy;
import io.github.cdklambdamicrovms.MicrovmImage;
import io.github.cdklambdamicrovms.MicrovmImageEngine;
import io.github.cdklambdamicrovms.MicrovmInlineCode;
import io.github.cdklambdamicrovms.MicrovmLaunchProfile;
import io.github.cdklambdamicrovms.MicrovmMemory;
import io.github.cdklambdamicrovms.MicrovmNewestBaseImageOptions;
import io.github.cdklambdamicrovms.MicrovmPublicationAttributes;
import io.github.cdklambdamicrovms.RunningMicrovms;
import java.util.List;
import java.util.Map;
import software.amazon.awscdk.AppProps;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.lambda.Code;
import software.amazon.awscdk.services.lambda.Function;
import software.amazon.awscdk.services.lambda.Runtime;
import software.amazon.awscdk.services.logs.LogGroup;

public final class App {
    public static void main(String[] args) {
        var app = new software.amazon.awscdk.App(AppProps.builder().analyticsReporting(false).build());

        var publisher = new Stack(app, "Publisher");
        MicrovmImage.Builder.create(publisher, "Image")
            .code(MicrovmCode.fromInline(MicrovmInlineCode.builder()
                .dockerfile("FROM public.ecr.aws/lambda/microvms:al2023-minimal\nEXPOSE 9000\n")
                .files(Map.of("hello.txt", "hello"))
                .build()))
            .imageName("golden")
            .baseImage(MicrovmBaseImage.AL2023_1.newest(MicrovmNewestBaseImageOptions.builder().refreshToken("2026-12").build()))
            .memory(MicrovmMemory.MIB_1024)
            .hooks(MicrovmHooks.onPort(9000, MicrovmHookTimeouts.builder().ready(Duration.minutes(2)).build()))
            .environment(Map.of("STAGE", "prod"))
            .engine(MicrovmImageEngine.custom(CustomEngineOptions.builder()
                .runningMicrovms(RunningMicrovms.TERMINATE)
                .keepVersions(3)
                .build()))
            .build();

        var consumer = new Stack(app, "Consumer");
        var image = MicrovmImage.fromPublication(consumer, "Image", MicrovmPublicationAttributes.builder()
            .publicationName("agents")
            .channel("stable")
            .build());
        var logGroup = LogGroup.Builder.create(consumer, "RunLogs").removalPolicy(RemovalPolicy.DESTROY).build();
        var profile = MicrovmLaunchProfile.Builder.create(consumer, "Launch")
            .image(image)
            .executionRole(ExecutionRole.Builder.create(consumer, "ExecutionRole").logGroup(logGroup).sourceImages(List.of(image)).build())
            .logGroup(logGroup)
            .ingressConnectors(List.of(MicrovmConnector.HTTP_INGRESS))
            .idlePolicy(MicrovmIdlePolicy.builder()
                .maxIdleDuration(Duration.minutes(15))
                .suspendedDuration(Duration.hours(1))
                .autoResume(true)
                .build())
            .maximumDuration(Duration.hours(2))
            .build();
        var launcher = Function.Builder.create(consumer, "Launcher")
            .runtime(Runtime.NODEJS_22_X)
            .handler("index.handler")
            .code(Code.fromInline("exports.handler = async () => {};"))
            .build();
        profile.addToFunction(launcher);
        profile.getGrants().connect(launcher);

        app.synth();
    }
}

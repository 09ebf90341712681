package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/interfaces/interfacesawslambda"
	"github.com/aws/jsii-runtime-go"
	microvms "github.com/cdk-lambda-microvms/cdk-lambda-microvms-go/cdklambdamicrovms"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false)})

	publisher := awscdk.NewStack(app, jsii.String("Publisher"), nil)
	microvms.NewMicrovmImage(publisher, jsii.String("Image"), &microvms.MicrovmImageProps{
		Code: microvms.MicrovmCode_FromInline(&microvms.MicrovmInlineCode{
			Dockerfile: jsii.String("FROM public.ecr.aws/lambda/microvms:al2023-minimal\nEXPOSE 9000\n"),
			Files:      &map[string]*string{"hello.txt": jsii.String("hello")},
		}),
		ImageName: jsii.String("golden"),
		BaseImage: microvms.MicrovmBaseImage_AL2023_1().Newest(&microvms.MicrovmNewestBaseImageOptions{
			RefreshToken: jsii.String("2026-12"),
		}),
		Memory: microvms.MicrovmMemory_MIB_1024(),
		Hooks: microvms.MicrovmHooks_OnPort(jsii.Number(9000), &microvms.MicrovmHookTimeouts{
			Ready: awscdk.Duration_Minutes(jsii.Number(2)),
		}),
		Environment: &map[string]*string{"STAGE": jsii.String("prod")},
		Engine: microvms.MicrovmImageEngine_Custom(&microvms.CustomEngineOptions{
			RunningMicrovms: microvms.RunningMicrovms_TERMINATE,
			KeepVersions:    jsii.Number(3),
		}),
	})

	consumer := awscdk.NewStack(app, jsii.String("Consumer"), nil)
	image := microvms.MicrovmImage_FromPublication(consumer, jsii.String("Image"), &microvms.MicrovmPublicationAttributes{
		PublicationName: jsii.String("agents"),
		Channel:         jsii.String("stable"),
	})
	logGroup := awslogs.NewLogGroup(consumer, jsii.String("RunLogs"), &awslogs.LogGroupProps{
		RemovalPolicy: awscdk.RemovalPolicy_DESTROY,
	})
	profile := microvms.NewMicrovmLaunchProfile(consumer, jsii.String("Launch"), &microvms.MicrovmLaunchProfileProps{
		Image: image,
		ExecutionRole: microvms.NewExecutionRole(consumer, jsii.String("ExecutionRole"), &microvms.ExecutionRoleProps{
			LogGroup:     logGroup,
			SourceImages: &[]interfacesawslambda.IMicrovmImageRef{image},
		}),
		LogGroup:          logGroup,
		IngressConnectors: &[]microvms.MicrovmConnector{microvms.MicrovmConnector_HTTP_INGRESS()},
		IdlePolicy: &microvms.MicrovmIdlePolicy{
			MaxIdleDuration:   awscdk.Duration_Minutes(jsii.Number(15)),
			SuspendedDuration: awscdk.Duration_Hours(jsii.Number(1)),
			AutoResume:        jsii.Bool(true),
		},
		MaximumDuration: awscdk.Duration_Hours(jsii.Number(2)),
	})
	launcher := awslambda.NewFunction(consumer, jsii.String("Launcher"), &awslambda.FunctionProps{
		Runtime: awslambda.Runtime_NODEJS_22_X(),
		Handler: jsii.String("index.handler"),
		Code:    awslambda.Code_FromInline(jsii.String("exports.handler = async () => {};")),
	})
	profile.AddToFunction(launcher, nil)
	profile.Grants().Connect(launcher)

	app.Synth(nil)
}

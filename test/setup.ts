// The template validator built into aws-cdk-lib costs seconds at the first synth of a process; the schema test asks for it.
process.env.CDK_VALIDATION ??= 'false';
// The SDK's notice about the age of the local Node, in every test that makes a client.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

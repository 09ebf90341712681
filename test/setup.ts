// The template validator built into aws-cdk-lib costs seconds at the first synth of a process; the schema test asks for it.
process.env.CDK_VALIDATION ??= 'false';

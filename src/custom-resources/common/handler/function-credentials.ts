/**
 * Where a Lambda function has its credentials: in its environment. In the bundles this takes the place of
 * `@aws-sdk/credential-provider-node`, which looks in ten places and brings the clients of three services to do so: a
 * quarter of the bundle, loaded in every cold start.
 *
 * See https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
 */
export { fromEnv as defaultProvider } from '@aws-sdk/credential-provider-env';

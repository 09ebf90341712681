import { ArnFormat, Stack } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

/** The account field of resources that AWS owns. */
const AWS_OWNED = 'aws';

/** An image or an image name pattern. The service wants a colon before the name: a slash is answered with AccessDenied. */
export function formatImageArn(scope: IConstruct, imageName: string): string {
  return lambdaArn(scope, 'microvm-image', imageName);
}

/** A base image managed by AWS. */
export function formatBaseImageArn(scope: IConstruct, name: string): string {
  return lambdaArn(scope, 'microvm-image', name, AWS_OWNED);
}

/** A network connector managed by AWS. */
export function formatManagedConnectorArn(scope: IConstruct, name: string): string {
  return lambdaArn(scope, 'network-connector', `aws-network-connector:${name}`, AWS_OWNED);
}

/** The name of a network connector managed by AWS. Undefined for any other. */
export function managedConnectorName(arn: string): string | undefined {
  return /:aws:network-connector:aws-network-connector:([a-zA-Z0-9-_]+)$/.exec(arn)?.[1];
}

/** In an error: the ARN of a managed one begins with what only the deployment knows. */
export function connectorForPeople(arn: string): string {
  return managedConnectorName(arn) ?? arn;
}

/** The event bus that every account and region has. */
export function formatDefaultBusArn(scope: IConstruct): string {
  return Stack.of(scope).formatArn({ service: 'events', resource: 'event-bus', resourceName: 'default', arnFormat: ArnFormat.SLASH_RESOURCE_NAME });
}

/** A log group, without the `:*` that CloudFormation appends. */
export function formatLogGroupArn(scope: IConstruct, logGroupName: string): string {
  return Stack.of(scope).formatArn({
    service: 'logs',
    resource: 'log-group',
    resourceName: logGroupName,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** The log streams of a log group. */
export function formatLogStreamsArn(scope: IConstruct, logGroupName: string): string {
  return `${formatLogGroupArn(scope, logGroupName)}:*`;
}

function lambdaArn(scope: IConstruct, resource: string, resourceName: string, account?: string): string {
  return Stack.of(scope).formatArn({ service: 'lambda', resource, resourceName, account, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
}

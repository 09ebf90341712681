import { Aws, RemovalPolicy, Validations } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpJwtAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import * as cognito from 'aws-cdk-lib/aws-cognito';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

export interface SignedInApiProps {
  /** Serves the page to everybody. */
  readonly page: lambda.IFunction;
  /** Hands out terminals to those who are signed in. */
  readonly broker: lambda.IFunction;
  readonly logGroup: logs.ILogGroup;
}

/** One origin for the page and its API, and the users who may call the latter. */
export class SignedInApi extends Construct {
  public readonly url: string;
  public readonly clientId: string;
  public readonly loginUrl: string;
  public readonly userPoolId: string;

  constructor(scope: Construct, id: string, { page, broker, logGroup }: SignedInApiProps) {
    super(scope, id);
    const api = new apigateway.HttpApi(this, 'Resource', { createDefaultStage: false });
    api.addStage('Stage', {
      stageName: '$default',
      autoDeploy: true,
      // Each call of the broker costs a MicroVM.
      throttle: { rateLimit: 5, burstLimit: 10 },
      accessLogSettings: { destination: new apigateway.LogGroupLogDestination(logGroup) },
    });
    this.url = `${api.apiEndpoint}/`;

    const users = new cognito.UserPool(this, 'Users', {
      // You invite them.
      selfSignUpEnabled: false,
      signInAliases: { email: true },
      mfa: cognito.Mfa.REQUIRED,
      mfaSecondFactor: { otp: true, sms: false },
      passwordPolicy: { minLength: 12, requireDigits: true, requireLowercase: true, requireSymbols: true, requireUppercase: true },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    Validations.of(users).acknowledge({ id: 'AwsSolutions-COG8', reason: 'A second factor and no sign-up: the Plus plan is worth its price with more users' });
    const domain = users.addDomain('Domain', { cognitoDomain: { domainPrefix: `terminal-${Aws.ACCOUNT_ID}` } });
    const client = users.addClient('Client', {
      // A page keeps no secret: it proves itself with PKCE.
      generateSecret: false,
      preventUserExistenceErrors: true,
      oAuth: { flows: { authorizationCodeGrant: true }, scopes: [cognito.OAuthScope.OPENID], callbackUrls: [this.url] },
    });
    this.userPoolId = users.userPoolId;
    this.clientId = client.userPoolClientId;
    this.loginUrl = domain.baseUrl();

    const forEverybody = new apigateway.HttpNoneAuthorizer();
    const authorizer = new HttpJwtAuthorizer('SignedIn', users.userPoolProviderUrl, { jwtAudience: [this.clientId] });
    for (const path of ['/', '/terminal.js']) {
      const [route] = api.addRoutes({
        path, methods: [apigateway.HttpMethod.GET], integration: new HttpLambdaIntegration('PageIntegration', page), authorizer: forEverybody,
      });
      Validations.of(route).acknowledge({ id: 'AwsSolutions-APIG4', reason: 'The page by which people sign in' });
    }
    api.addRoutes({
      path: '/terminals', methods: [apigateway.HttpMethod.POST], integration: new HttpLambdaIntegration('BrokerIntegration', broker), authorizer,
    });
  }
}

import { execFileSync } from 'child_process';
import { join } from 'path';
import { App } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { cdkFindings, lintFindings, templateFile } from './clean-template';
import { BrowserTerminalStack } from '../../examples/browser-terminal/browser-terminal-stack';

let stack: BrowserTerminalStack;
let template: Template;
beforeAll(() => {
  stack = new BrowserTerminalStack(new App(), 'BrowserTerminal');
  template = Template.fromStack(stack);
}, 60_000);

test('has no finding of cdk-nag AwsSolutions, and no warning', () => {
  expect(cdkFindings(stack)).toEqual([]);
});

test('has no finding of cfn-lint', async () => {
  expect(await lintFindings(templateFile(stack)) ?? '').toBe('');
}, 120_000);

test('only who is signed in gets a terminal', () => {
  template.resourcePropertiesCountIs('AWS::ApiGatewayV2::Route', {
    RouteKey: 'POST /terminals', AuthorizationType: 'JWT', AuthorizerId: Match.anyValue(),
  }, 1);
  template.resourcePropertiesCountIs('AWS::ApiGatewayV2::Route', { RouteKey: Match.stringLikeRegexp('^GET /'), AuthorizationType: 'NONE' }, 2);
  template.resourceCountIs('AWS::ApiGatewayV2::Route', 3);
  template.hasResourceProperties('AWS::Cognito::UserPool', { AdminCreateUserConfig: { AllowAdminCreateUserOnly: true }, MfaConfiguration: 'ON' });
  template.hasResourceProperties('AWS::Cognito::UserPoolClient', { GenerateSecret: false, AllowedOAuthFlows: ['code'] });
  template.hasResourceProperties('AWS::ApiGatewayV2::Stage', { DefaultRouteSettings: { ThrottlingRateLimit: 5, ThrottlingBurstLimit: 10 } });
});

describe('the page', () => {
  const serve = (rawPath: string) => JSON.parse(execFileSync(process.execPath, [
    '--input-type=module', '--eval',
    `const { handler } = await import('./index.mjs'); console.log(JSON.stringify(await handler({ rawPath: ${JSON.stringify(rawPath)} })))`,
  ], {
    cwd: join(__dirname, '..', '..', 'examples', 'browser-terminal', 'page'),
    env: { ...process.env, CLIENT_ID: 'client-1', LOGIN_URL: 'https://login.example.com', AWS_REGION: 'eu-west-1' },
    encoding: 'utf8',
  }));

  test.each([['/', 'text/html'], ['/terminal.js', 'text/javascript']])('%s knows where to sign in, and may connect to nothing but that, its API and MicroVMs', (path, type) => {
    const { statusCode, headers, body } = serve(path);
    expect(statusCode).toBe(200);
    expect(headers['content-type']).toContain(type);
    expect(body).not.toContain('{{');
    expect(headers['content-security-policy'].split('; ')).toContain(
      "connect-src 'self' https://login.example.com wss://*.lambda-microvm.eu-west-1.on.aws");
    expect(headers['content-security-policy']).not.toContain("script-src 'unsafe-inline'");
  });

  test('every script and style from elsewhere is pinned by its hash', () => {
    const { body } = serve('/');
    const foreign = body.match(/<(script|link)[^>]*https:[^>]*>/g);
    expect(foreign).toHaveLength(2);
    expect(foreign.every((tag: string) => /integrity="sha384-[\w+/]{64}"/.test(tag) && /@\d+\.\d+\.\d+\//.test(tag))).toBe(true);
  });

  test.each([['/index.mjs'], ['/../index.mjs'], ['/constructor'], ['/__proto__']])('does not serve %s', (path) => {
    expect(serve(path)).toEqual({ statusCode: 404, body: 'not found' });
  });

  test('its script has no syntax error', () => {
    execFileSync(process.execPath, ['--check', '--input-type=module', '-'], { input: serve('/terminal.js').body });
  });
});

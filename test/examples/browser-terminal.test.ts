import { execFileSync } from 'child_process';
import { createHash } from 'crypto';
import { readFileSync } from 'fs';
import { join } from 'path';
import { App } from 'aws-cdk-lib';
import { Match } from 'aws-cdk-lib/assertions';
import { testCleanTemplate } from './clean-template';
import { PageBrowser } from './page-browser';
import { BrowserTerminalStack } from '../../examples/browser-terminal/browser-terminal-stack';

const PAGE = join(__dirname, '..', '..', 'examples', 'browser-terminal', 'page');

const template = testCleanTemplate(() => new BrowserTerminalStack(new App(), 'BrowserTerminal'));

test('only who is signed in gets a terminal', () => {
  template().resourcePropertiesCountIs('AWS::ApiGatewayV2::Route', {
    RouteKey: 'POST /terminals', AuthorizationType: 'JWT', AuthorizerId: Match.anyValue(),
  }, 1);
  template().resourcePropertiesCountIs('AWS::ApiGatewayV2::Route', { RouteKey: Match.stringLikeRegexp('^GET /'), AuthorizationType: 'NONE' }, 2);
  template().resourceCountIs('AWS::ApiGatewayV2::Route', 3);
  template().hasResourceProperties('AWS::Cognito::UserPool', { AdminCreateUserConfig: { AllowAdminCreateUserOnly: true }, MfaConfiguration: 'ON' });
  template().hasResourceProperties('AWS::Cognito::UserPoolClient', { GenerateSecret: false, AllowedOAuthFlows: ['code'] });
  template().hasResourceProperties('AWS::ApiGatewayV2::Stage', { DefaultRouteSettings: { ThrottlingRateLimit: 5, ThrottlingBurstLimit: 10 } });
});

describe('the page', () => {
  const serve = (rawPath: string) => JSON.parse(execFileSync(process.execPath, [
    '--input-type=module', '--eval',
    `const { handler } = await import('./index.mjs'); console.log(JSON.stringify(await handler({ rawPath: ${JSON.stringify(rawPath)} })))`,
  ], {
    cwd: PAGE,
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
});

describe('in the browser', () => {
  const script = readFileSync(join(PAGE, 'terminal.js'), 'utf8').replace('{{CLIENT_ID}}', 'client-1').replace('{{LOGIN_URL}}', 'https://login.example.com');
  const browse = (connects?: boolean[]) => new PageBrowser(script, {
    'https://login.example.com/oauth2/token': { access_token: 'access-1' },
    '/terminals': { url: 'wss://endpoint/shell', protocols: ['lambda-microvms', 'lambda-microvms.authentication.t'] },
  }, connects);

  async function signedIn(connects?: boolean[]): Promise<PageBrowser> {
    const browser = browse(connects);
    await browser.visit('https://page.example.com/');
    const state = browser.left[0].searchParams.get('state');
    await browser.visit(`https://page.example.com/?code=code-1&state=${state}`);
    return browser;
  }

  test('people sign in with a code that only this browser can redeem', async () => {
    const browser = await signedIn();
    const [{ url, options }] = browser.requests;
    expect(url).toBe('https://login.example.com/oauth2/token');
    const verifier = options.body.get('code_verifier');
    const asked = browser.left[0].searchParams;
    expect(asked.get('code_challenge')).toBe(createHash('sha256').update(verifier).digest('base64url'));
    expect([asked.get('code_challenge_method'), asked.get('response_type'), asked.get('redirect_uri')])
      .toEqual(['S256', 'code', 'https://page.example.com/']);
    expect(options.body.get('code')).toBe('code-1');
    expect(browser.button.disabled).toBe(false);
  });

  test('a code that this browser has not asked for is not redeemed', async () => {
    const browser = browse();
    await browser.visit('https://page.example.com/');
    await browser.visit('https://page.example.com/?code=stolen&state=other');
    expect(browser.requests).toEqual([]);
    expect(browser.left).toHaveLength(2);
  });

  test('the screen is the shell of the MicroVM, as soon as it answers', async () => {
    const browser = await signedIn([false, false, true]);
    await browser.button.onclick();
    expect(browser.requests[1]).toEqual({ url: '/terminals', options: { method: 'POST', headers: { authorization: 'Bearer access-1' } } });
    expect(browser.sockets).toHaveLength(3);
    const socket = browser.sockets[2];
    expect([socket.url, socket.protocols]).toEqual(['wss://endpoint/shell', ['lambda-microvms', 'lambda-microvms.authentication.t']]);

    socket.onmessage({ data: '{"type":"session_init"}' });
    socket.onmessage({ data: new TextEncoder().encode('~ # ').buffer });
    browser.type('ls\r');
    expect(browser.written).toEqual(['~ # ']);
    expect(socket.sent).toEqual([expect.stringMatching(/^stty cols 120 rows 36/), 'ls\r']);
  });
});

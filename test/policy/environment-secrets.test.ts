import { App, CfnParameter, SecretValue, Stack, Validations } from 'aws-cdk-lib';
import * as fc from 'fast-check';
import { reportOnTemplate } from './findings';
import { goodCustomTemplate, goodTemplate } from './good-template';
import { MicrovmCode, MicrovmImage, MicrovmPolicyChecks } from '../../src';
import { PLANTED } from '../constructs/planted-secrets';

const RULE = 'environment-secret';
type Environment = Record<string, unknown>;

/** The report on an image that has these variables, built either way. */
function reports(environment: Environment, parameters: Record<string, unknown> = {}, mappings: Record<string, unknown> = {}) {
  const native = goodTemplate();
  native.Parameters = parameters;
  native.Mappings = mappings;
  native.Resources.Image.Properties.EnvironmentVariables = Object.entries(environment).map(([Key, Value]) => ({ Key, Value }));
  const custom = goodCustomTemplate();
  custom.Parameters = parameters;
  custom.Mappings = mappings;
  custom.Resources.Image.Properties.EnvironmentVariables = environment;
  return [native, custom].map((template) => reportOnTemplate(template));
}

function isFound(environment: Environment, parameters?: Record<string, unknown>): boolean {
  const found = reports(environment, parameters).map(({ violations }) => violations.map(({ ruleName }) => ruleName).includes(RULE));
  expect(found[0]).toBe(found[1]);
  return found[0];
}

/** Jest takes a callback with more parameters than a row has values for one that calls back. */
function rows(
  cases: Array<[what: string, environment: Environment, parameters?: Record<string, unknown>, mappings?: Record<string, unknown>]>,
): Array<[string, Environment, Record<string, unknown>, Record<string, unknown>]> {
  return cases.map(([what, environment, parameters = {}, mappings = {}]) => [what, environment, parameters, mappings]);
}

test.each(PLANTED)('a %s is found under any name, and not shown', (_kind, text, secret) => {
  const [native, custom] = reports({ SETTINGS: text });
  for (const report of [native, custom]) {
    expect(report.violations.map(({ ruleName }) => ruleName)).toEqual([RULE]);
    expect(report.success).toBe(false);
    const shown = JSON.stringify(report).replace(/"templatePath":"[^"]*"/g, '');
    expect(shown).toContain('SETTINGS');
    for (const part of secret.split(/\s|\\n/).filter((line) => line.length > 11 && !line.startsWith('-----'))) {
      expect(shown).not.toContain(part.slice(0, 12));
    }
  }
});

test('whatever is given to a variable of a secret name is found, and not shown', () => {
  const value = fc.stringMatching(/^[A-Za-z0-9!#%^*_+.-]{8,60}$/).filter((text) => !/^(arn:|\*+$|disabled|optional|required)/i.test(text));
  const name = fc.constantFrom('DB_PASSWORD', 'API_KEY', 'GITHUB_TOKEN', 'clientSecret', 'JWT_SECRET', 'ADMIN_PWD', 'PRIVATE_KEY', 'app.auth-token', 'STRIPE_API_KEY', 'redisPassword', 'SECRET', 'TOKEN');
  fc.assert(fc.property(name, value, (key, secret) => {
    const [native, custom] = reports({ [key]: secret });
    for (const report of [native, custom]) {
      expect(report.violations.map(({ ruleName }) => ruleName)).toEqual([RULE]);
      expect(JSON.stringify(report.violations.map(({ description, fix, ruleMetadata }) => [description, fix, ruleMetadata]))).not.toContain(secret);
    }
  }), { numRuns: 60 });
});

test('random values are found under any name that does not say they are none', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const random = fc.array(fc.integer({ min: 0, max: 61 }), { minLength: 32, maxLength: 64 })
    .map((numbers) => numbers.map((number) => alphabet[number]).join(''))
    .filter((text) => new Set(text).size > 20 && /\d/.test(text) && /[a-z]/.test(text) && /[A-Z]/.test(text));
  fc.assert(fc.property(random, (secret) => {
    expect(isFound({ SETTING: secret })).toBe(true);
  }), { numRuns: 60 });
});

test.each(rows([
  ['a parameter that CloudFormation hides', { DB: { Ref: 'Hidden' } }, { Hidden: { Type: 'String', NoEcho: true } }],
  ['a parameter that CloudFormation hides, in a text', { URL: { 'Fn::Sub': 'https://x/${Hidden}' } }, { Hidden: { Type: 'String', NoEcho: 'true' } }],
  ['the default of a parameter', { SETTING: { Ref: 'Open' } }, { Open: { Type: 'String', Default: 'ghp_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7aB3dE6gH9' } }],
  ['a parameter for a variable of a secret name', { DB_PASSWORD: { Ref: 'Open' } }, { Open: { Type: 'String' } }],
  ['a secret that CloudFormation resolves', { DB: '{{resolve:secretsmanager:prod/db:SecretString:password}}' }],
  ['a secret that CloudFormation resolves, of the template', { DB: { 'Fn::Join': ['', ['{{resolve:secretsmanager:', { Ref: 'Secret' }, ':SecretString:::}}']] } }],
  ['a part of a Join', { SETTING: { 'Fn::Join': ['', ['key=', 'ghp_aB3dE6gH9jK2mN5pQ8', 'sT1vW4yZ7aB3dE6gH9', { Ref: 'AWS::Region' }]] } }],
  ['a value of a mapping', { SETTING: { 'Fn::FindInMap': ['Keys', 'prod', 'key'] } }, {}, { Keys: { dev: { key: 'none' }, prod: { key: 'AKIAIOSFODNN7QWERTYU' } } }],
  ['a value of a mapping, for a stage to be known', { SETTING: { 'Fn::FindInMap': ['Keys', { Ref: 'Stage' }, 'key'] } }, {}, { Keys: { dev: { key: 'none' }, prod: { key: 'AKIAIOSFODNN7QWERTYU' } } }],
  ['the default of a mapping', { SETTING: { 'Fn::FindInMap': ['Keys', 'prod', 'key', { DefaultValue: 'AKIAIOSFODNN7QWERTYU' }] } }],
  ['the key of a user', { SETTING: { 'Fn::GetAtt': ['Key', 'SecretAccessKey'] } }],
  ['the key of a user, in a text', { SETTING: { 'Fn::Sub': 'x:${Key.SecretAccessKey}' } }],
  ['a key in base64', { SETTING: Buffer.from('{"id":"AKIAIOSFODNN7QWERTYU"}').toString('base64') }],
  ['a private key in base64', { TLS_CERT: Buffer.from(`-----BEGIN PRIVATE KEY-----\n${'MIIEvQIBADANBgkqhkiG9w0BAQEFAASC'.repeat(2)}\n-----END PRIVATE KEY-----`).toString('base64') }],
  ['a random value in base64', { SETTING: Buffer.from('value:aB3dE6gH9jK2mN5pQ8sT1vW4yZ7').toString('base64') }],
  ['a header with a password', { HEADER: `Authorization: Basic ${Buffer.from('robot:hunter2').toString('base64')}` }],
  ['a password of one stage', { DB_PASSWORD_PROD: 'hunter2' }],
  ['one of two keys', { API_KEY_2_OLD: 'hunter2' }],
  ['a user and a password', { BASIC_AUTH: 'robot:hunter2' }],
  ['a branch of a condition', { SETTING: { 'Fn::If': ['Never', 'x', 'AKIAIOSFODNN7QWERTYU'] } }],
  ['a variable of Sub', { SETTING: { 'Fn::Sub': ['${A}', { A: 'AKIAIOSFODNN7QWERTYU' }] } }],
  ['JSON with a password', { CONFIG: '{"user":"app","password":"hunter2!"}' }],
  ['a short password', { DB_PASSWORD: 'hunter2' }],
  ['a default password', { POSTGRES_PASSWORD: 'postgres' }],
  ['a name that is a secret itself', { ghp_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7aB3dE6gH9: 'x' }],
]))('found: %s', (_what, environment, parameters, mappings) => {
  const all = reports(environment, parameters, mappings);
  for (const { violations } of all) {
    expect(violations.map(({ ruleName }) => ruleName)).toEqual([RULE]);
    expect(JSON.stringify(violations)).not.toMatch(/ghp_|AKIA|hunter2/);
  }
});

test.each(rows([
  ['settings', { STAGE: 'prod', LOG_LEVEL: 'debug', NODE_OPTIONS: '--max-old-space-size=4096 --enable-source-maps', PORT: '8080', TZ: 'Europe/Berlin', LANG: 'en_US.UTF-8' }],
  ['where a secret is', { DB_SECRET_ARN: 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-Ab12Cd', TOKEN_PARAMETER: '/prod/token', API_KEY_NAME: 'prod-key', SECRET_ID: 'prod/db', DB_SECRET: { Ref: 'Secret' }, PASSWORD_FILE: '/run/secrets/db', API_TOKEN: { 'Fn::GetAtt': ['Parameter', 'Arn'] } }],
  ['about secrets', { TOKEN_TTL: '3600', PASSWORD_MIN_LENGTH: '12', JWT_ISSUER: 'https://login.example.com', TOKEN_ENDPOINT_URL: 'https://login.example.com/oauth2/token', MAX_TOKENS: '4096', TOKENIZERS_PARALLELISM: 'false', SECRETS_ENABLED: 'true', KEYBOARD_LAYOUT: 'de', PRIMARY_KEY_COLUMN: 'id' }],
  ['hashes', { GIT_SHA: '0123456789abcdef0123456789abcdef01234567', IMAGE_DIGEST: 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', BUILD_ID: 'b7e23ec29af22b0b4e41da31e868d57226121c84' }],
  ['ids', { TENANT: '8f14e45f-ceea-467f-a8b5-2c7d4f1e9b3a', SUBNETS: 'subnet-0a1b2c3d4e5f67890,subnet-1a1b2c3d4e5f67890', VPC: 'vpc-0a1b2c3d4e5f67890', CLIENT_ID: '1h57kf5cpq17m0eml12EXAMPLE', POOL_ID: 'eu-west-1_Ab12Cd34E' }],
  ['URLs and hosts', { ENDPOINT: 'https://vpce-0a1b2c3d4e5f67890-abcdefgh.execute-api.eu-west-1.vpce.amazonaws.com/prod', DB_HOST: 'shop.cluster-c9akciq32rgz.eu-west-1.rds.amazonaws.com', QUEUE: 'https://sqs.eu-west-1.amazonaws.com/111122223333/orders', BUCKET: 'shop-artifacts-111122223333-eu-west-1' }],
  ['paths and names', { PATH: '/usr/local/sbin:/usr/local/bin:/usr/bin:/opt/python3.12/bin', PYTHONPATH: '/opt/venv/lib/python3.12/site-packages', HANDLER: 'com.example.shop.checkout.CheckoutRequestHandlerV2::handleRequest', FEATURE_FLAGS: 'newCheckoutFlowV2,betaRecommendations2026,darkModeSettings' }],
  ['what only a deployment knows', { TABLE: { Ref: 'Logs' }, QUEUE_URL: { Ref: 'Open' }, ACCOUNT: { Ref: 'AWS::AccountId' } }, { Open: { Type: 'String' } }],
  ['nothing', { DB_PASSWORD: '', API_TOKEN: 'none', TOKEN: '${TOKEN}', SECRET: '<set-at-launch>' }],
  ['a public key', { SSH_PUBLIC_KEY: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJkQ2m9xv0u0mZ8b7w3oTqf2yBbY8l3b1J5y2c4d6e8f' }],
  ['ARNs and names with letters that CloudFormation made', { KMS_KEY: 'arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab', MACHINE: 'arn:aws:states:eu-west-1:111122223333:stateMachine:ShopMachine8kq2Lm9V-x8Kq2Lm9Vb4Z', TABLE: 'Shop-OrdersCD117FA1-1OQ3N7HKPL2ZW', CODE: 's3://artifacts/3b1f5c0e8d7a4962b5c8f1e0d3a69788.zip' }],
  ['what everybody may have', { STRIPE_PUBLISHABLE_KEY: 'pk_live_51Hq83kd92Lm9Vb4Zn7Rt5Yw3Pc6Hd1', POSTHOG: 'phc_8kq2Lm9Vb4Zn7Rt5Yw3Pc6Hd1Jf0Gs8x9Kq2', LEDGER: '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed', CLIENTS: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJkQ2m9xv0u0mZ8b7w3oTqf2yBbY8l3b1J5y2c4d6e8f ci' }],
  ['base64 of settings and images', { SETTING: Buffer.from('{"level":"info","region":"eu-west-1"}').toString('base64'), LOGO: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==' }],
  ['names of models and data', { CHECKPOINT: 'meta-llama/Meta-Llama-3.1-8B-Instruct-AWQ-INT4', DATA: 'wikitext-103-raw-v1-2024q4-sampled-128k' }],
  ['keys of tables and caches', { PARTITION_KEY: 'tenantId', CACHE_KEY_PREFIX: 'v3', SORT_KEY_TEST: 'id' }],
  ['JSON of settings', { CONFIG: '{"retries":3,"token_type":"bearer","region":"eu-west-1","features":["checkout","search"]}' }],
]))('not taken for a secret: %s', (_what, environment, parameters) => {
  for (const [key, value] of Object.entries(environment)) {
    expect([key, isFound({ [key]: value }, parameters)]).toEqual([key, false]);
  }
});

test('a key that has no form of its own is told by its name', () => {
  for (const { violations } of reports({ AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYzR8Kq3LmN0' })) {
    expect(violations.map(({ description }) => description)).toEqual([expect.stringContaining("'AWS_SECRET_ACCESS_KEY' seems to hold an AWS secret access key.")]);
  }
});

test('a payload of the run hook is read too', () => {
  const template = goodTemplate();
  template.Resources.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH = JSON.stringify({
    imageIdentifier: 'x', imageVersion: '1.0', ingressNetworkConnectors: ['arn:aws:lambda:us-east-1:aws:network-connector:aws-network-connector:NO_INGRESS'], runHookPayload: '{"password":"hunter2!"}',
  });
  const { violations } = reportOnTemplate(template);
  expect(violations.map(({ ruleName }) => ruleName)).toEqual([RULE]);
  expect(JSON.stringify(violations)).not.toContain('hunter2');
});

test('a payload with a parameter that CloudFormation hides is found', () => {
  const template = goodTemplate();
  template.Parameters = { Hidden: { Type: 'String', NoEcho: true } };
  template.Resources.Launcher.Properties.Environment.Variables.MICROVM_LAUNCH = {
    'Fn::Sub': '{"imageIdentifier":"x","imageVersion":"1.0","ingressNetworkConnectors":["arn:aws:lambda:us-east-1:aws:network-connector:aws-network-connector:NO_INGRESS"],"runHookPayload":"a=${Hidden}"}',
  };
  expect(reportOnTemplate(template).violations.map(({ description }) => description)).toEqual([expect.stringContaining('a parameter with NoEcho')]);
});

describe('in a real synth', () => {
  test.each(PLANTED)('a %s fails it, and is neither in the error nor on the console', (_kind, text, secret) => {
    const app = new App();
    Validations.of(app).addPlugins(new MicrovmPolicyChecks());
    new MicrovmImage(new Stack(app, 'Stack'), 'Image', {
      code: MicrovmCode.fromInline({ dockerfile: 'FROM public.ecr.aws/amazonlinux/amazonlinux:2023\nCMD ["true"]' }), environment: { SETTINGS: text.replace(/[^\x20-\x7e\n]/g, '') },
    });
    const shown = failureOf(app);
    expect(shown).toContain("'SETTINGS' seems to hold");
    for (const part of secret.split(/\s|\\n/).filter((line) => line.length > 11 && !line.startsWith('-----'))) {
      expect(shown).not.toContain(part.slice(0, 12));
    }
  });

  test('secrets of Secrets Manager and hidden parameters are found in what this library renders', () => {
    const app = new App();
    const stack = new Stack(app, 'Stack');
    Validations.of(app).addPlugins(new MicrovmPolicyChecks());
    new MicrovmImage(stack, 'Image', {
      code: MicrovmCode.fromInline({ dockerfile: 'FROM public.ecr.aws/amazonlinux/amazonlinux:2023\nCMD ["true"]' }),
      environment: { A: SecretValue.secretsManager('db').unsafeUnwrap(), B: new CfnParameter(stack, 'B', { noEcho: true }).valueAsString },
    });
    const printed = failureOf(app);
    expect(printed).toContain("'A' seems to hold a secret that is resolved at deployment");
    expect(printed).toContain("'B' seems to hold a parameter with NoEcho");
  });
});

/** All that a user sees of a synth that fails. */
function failureOf(app: App): string {
  const printed: string[] = [];
  const spies = (['log', 'warn', 'error', 'info'] as const)
    .map((method) => jest.spyOn(console, method).mockImplementation((...args) => void printed.push(args.map(String).join(' '))));
  try {
    app.synth();
    return '';
  } catch (error) {
    return [...printed, (error as Error).stack].join('\n');
  } finally {
    spies.forEach((spy) => spy.mockRestore());
  }
}

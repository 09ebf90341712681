import * as fc from 'fast-check';
import { findSecrets, looksRandom, withoutSecrets } from '../../../src/constructs/private/secret-patterns';
import { PLANTED } from '../planted-secrets';

const kinds = (text: string) => findSecrets(text).map(({ kind }) => kind);

test.each(PLANTED)('finds: %s', (kind, text) => {
  expect(kinds(text)).toEqual([kind]);
});

test.each(PLANTED)('finds in the middle of another text, where it is, and takes it out: %s', (kind, text, secret) => {
  // Around it are lines of letters, which are no secret.
  const line = fc.stringMatching(/^[a-z ,.()]{0,60}$/);
  fc.assert(fc.property(fc.array(line), fc.array(line), (before, after) => {
    const whole = [...before, text, ...after].join('\n');
    const found = findSecrets(whole);
    expect(found.map((one) => one.kind)).toEqual([kind]);
    expect(whole.slice(0, found[0].start).split('\n').length).toBeGreaterThan(before.length);
    expect(withoutSecrets(whole)).not.toContain(secret.slice(0, 12));
    expect(withoutSecrets(whole)).not.toContain(secret.replace(/\s*-----END .*/, '').slice(-12));
  }), { numRuns: 25 });
});

test.each([
  'spring.datasource.password=Tr0ub4dor3',
  'services:\n  db:\n    environment:\n      MYSQL_ROOT_PASSWORD: Tr0ub4dor&3',
  '[db]\npassword = Tr0ub4dor!3',
  'export PGPASSWORD=Tr0ub4dor3',
  '<server><id>nexus</id><password>Tr0ub4dor&3</password></server>',
  '<property><db.password>Tr0ub4dor3</db.password></property>',
])('finds a password of a line or an element: %s', (text) => {
  expect(kinds(text)).toEqual(['password']);
  expect(withoutSecrets(text)).not.toContain('Tr0ub4dor');
});

test.each([
  ['a variable for a password in a URL', 'postgres://app:${DB_PASSWORD}@db/app and https://$USER:$TOKEN@github.com/a/b'],
  ['a placeholder in a URL', 'postgres://user:password@db:5432/app'],
  ['a URL with a port', 'http://localhost:8080/@scope/name and ws://127.0.0.1:9229/a@b'],
  ['the header of a key in code', "if (pem.startsWith('-----BEGIN PRIVATE KEY-----')) { parse(pem); }"],
  ['a public key and a certificate', '-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A\n-----END PUBLIC KEY-----\n-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ'],
  ['a token of npm from the environment', '//registry.npmjs.org/:_authToken=${NPM_TOKEN}'],
  ['hashes of a lock file', '"integrity": "sha512-v2kDEe57lecTulaDIuNTPy3Ry4gLGJ6Z1O3vE1krgXZNrsQ+LFTGHVxVjcXPs17LhbZVGedAJv8XZ1tvj5FvSg=="'],
  ['the name of a secret', "secretName: 'prod/app/database-password-v2'\nDB_SECRET=my-service/prod/db-credentials-2"],
  ['a value from the environment', 'const token = process.env.API_TOKEN2_VALUE;\napi_key = os.environ["API_KEY_V2_OF_APP"]'],
  ['code about tokens', 'const token = getTokenV2FromRequest(request);\nauth(token=tokenV2FromRequest, other)'],
  ['the public key token of an assembly', '<dependentAssembly publicKeyToken="b77a5c561934e089" /> PublicKeyToken=b77a5c561934e089'],
  ['settings of a tokenizer', 'max_tokens: 4096\nTOKENIZERS_PARALLELISM=false\ntoken: "end-of-sequence-token-1"'],
  ['names of classes', 'sk-fading-circle-container-with-dots npm_config_cache npm_lifecycle_event hf_hub_download ghp_ SG.'],
  ['an empty registry', '{ "auths": { "ghcr.io": {} }, "auth": "disabled-by-default" }'],
  ['places for tokens', 'xoxb-your-bot-token-goes-here SLACK=xoxb-xxxxxxxxxxxx-xxxxxxxxxxxx sk-ant-api03-your-key-here-please ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx glpat-place-holder-of-a-token sk-ant-api03-put-the-key-here'],
  ['places for headers', 'Authorization: Basic ${CREDENTIALS} Authorization: Bearer <token> "Authorization": "Bearer your-access-token-1"'],
  ['a header with a placeholder', `Authorization: Basic ${Buffer.from('user:password').toString('base64')}`],
  ['rules for passwords', "'password' => 'required|string|min:8' passwordPattern: '^(?=.*[A-Z])(?=.*[0-9]).{8,}$' password: 'auth.errors.password-2' password: '^(?=.*[A-Za-z])(?=.*[0-9])[A-Za-z0-9@!%*#?&]{8,}$'"],
  ['passwords of tests and examples', "password: 'TestPassword123' password = 'Example1Word' password: 'password123'"],
  ['a password from elsewhere', 'password: ${DB_PASSWORD_2}\npassword = user.password2Hash()\npassword: !Ref DbPassword2\npassword=hashedValue2(input)'],
  ['a password of XML from elsewhere', '<password>${env.NEXUS_PASSWORD2}</password><password>Your password, 8 letters</password>'],
  ['a certificate in base64', Buffer.from('-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ').toString('base64')],
  ['the ARN of a secret', 'SECRET=arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/db-Ab12Cd'],
])('takes for no secret: %s', (_what, text) => {
  expect(kinds(text)).toEqual([]);
  expect(withoutSecrets(text)).toBe(text);
});

test('values drawn at random look so, and words do not', () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((bytes) => new Set(bytes).size > 24), (bytes) => {
    expect(looksRandom(Buffer.from(bytes).toString('hex'))).toBe(true);
  }));
  expect(['database-password-of-production', 'correcthorsebatterystaple', '2026-01-01T00:00:00Z', 'aaaaaaaaaaaaaaaa1111'].map(looksRandom)).toEqual([false, false, false, false]);
});

test('any text is searched in little time, without an error', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (text) => {
    findSecrets(text);
  }));
  const long = [':', '-', 'a', ' ', '"', '+', 'password=', 'secret_key ', '://a', 'eyJ', 'machine a login ', '-----BEGIN PRIVATE KEY-----\n', 'server=;'];
  const startedAt = process.cpuUsage();
  long.forEach((part) => findSecrets(part.repeat(200_000 / part.length)));
  expect(process.cpuUsage(startedAt).user / 1e6).toBeLessThan(10);
});

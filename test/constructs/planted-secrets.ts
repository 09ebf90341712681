/** Characters of a key that was never issued. Put together here, so that no scanner takes this file for a leak. */
const filler = (length: number) => 'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7'.repeat(10).slice(0, length);
const hex = (length: number) => '0f1e2d3c4b5a69788796a5b4c3d2e1f0'.repeat(10).slice(0, length);

const PEM_BODY = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu';
const pem = (kind: string) => `-----BEGIN ${kind}-----\n${PEM_BODY}\n-----END ${kind}-----`;
const JWT = ['eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9', 'eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4ifQ', filler(43)].join('.');
const BASIC = Buffer.from('robot:Tr0ub4dor').toString('base64');

/** Texts with one secret each: what it is, the text around it, and what no message may hold. */
export const PLANTED: Array<[kind: string, text: string, secret: string]> = ([
  ['AWS access key', (s) => `aws_access_key_id = ${s}`, `AKIA${'IOSFODNN7QWERTYU'}`],
  ['AWS access key', (s) => `{"AccessKeyId":"${s}"}`, `ASIA${'Y34FZKBOKMUTVV7A'}`],
  ['AWS secret access key', (s) => `aws_secret_access_key = ${s}`, 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYzR8Kq3LmN0'],
  ['AWS secret access key', (s) => `const credentials = { secretAccessKey: '${s}' };`, 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYzR8Kq3LmN0'],
  ['AWS session token', (s) => `session: ${s}`, `IQoJb3JpZ2lu${filler(120)}`],
  ['private key', (s) => s, pem('PRIVATE KEY')],
  ['private key', (s) => s, pem('RSA PRIVATE KEY')],
  ['private key', (s) => `    ${s.replace(/\n/g, '\n    ')}`, pem('OPENSSH PRIVATE KEY')],
  ['private key', (s) => `{"type":"service_account","private_key":"${s}"}`, pem('PRIVATE KEY').replace(/\n/g, '\\n')],
  ['private key', (s) => s, `-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n${PEM_BODY}`],
  ['GitHub token', (s) => `git clone https://${s}@github.com/o/r`, `ghp_${filler(36)}`],
  ['GitHub token', (s) => `token: ${s}`, `github_pat_${filler(22)}_${filler(59)}`],
  ['GitLab token', (s) => `"${s}"`, `glpat-${filler(20)}`],
  ['Slack token', (s) => `slack('${s}')`, `xoxb-${'123456789012-1234567890123'}-${filler(24)}`],
  ['Slack webhook', (s) => `url: https://${s}`, `hooks.slack.com/services/T0000AAAA/B0000AAAA/${filler(24)}`],
  ['Stripe key', (s) => `stripe(${JSON.stringify(s)})`, `sk_live_${filler(24)}`],
  ['Stripe key', (s) => `STRIPE=${s}`, `rk_test_${filler(24)}`],
  ['npm token', (s) => `//registry.npmjs.org/:_authToken=${s}`, `npm_${filler(36)}`],
  ['npm token', (s) => `//npm.example.com/:_authToken=${s}`, hex(36)],
  ['PyPI token', (s) => `password = ${s}`, `pypi-AgEIcHlwaS5vcmc${filler(70)}`],
  ['Docker token', (s) => `docker login -p ${s}`, `dckr_pat_${filler(27)}`],
  ['Google API key', (s) => `key=${s}`, `AIza${filler(35)}`],
  ['Anthropic key', (s) => `ANTHROPIC_API_KEY=${s}`, `sk-ant-api03-${filler(60)}`],
  ['OpenAI key', (s) => `OPENAI_API_KEY=${s}`, `sk-proj-${filler(60)}`],
  ['Hugging Face token', (s) => `login("${s}")`, `hf_${filler(34)}`],
  ['SendGrid key', (s) => s, `SG.${filler(22)}.${filler(43)}`],
  ['Vault token', (s) => `vault: ${s}`, `hvs.${filler(90)}`],
  ['JSON Web Token', (s) => `Authorization: Bearer ${s}`, JWT],
  ['password in a URL', (s) => `DATABASE_URL=postgres://app:${s}@db.internal:5432/app`, 'Tr0ub4dor-and-3'],
  ['password in a URL', (s) => `redis = "rediss://:${s}@cache:6379"`, 'Tr0ub4dor-and-3'],
  ['password in a URL', (s) => `uri: mongodb+srv://app:${s}@cluster0.mongodb.net/app`, 'Tr0ub4dor-and-3'],
  ['password in a connection string', (s) => `"Server=tcp:db,1433;Database=app;User Id=sa;Password=${s};Encrypt=true"`, 'Tr0ub4dor!'],
  ['password in a connection string', (s) => `DefaultEndpointsProtocol=https;EndpointSuffix=x;AccountName=app;AccountKey=${s}`, `${filler(86)}==`],
  ['password in a connection string', (s) => `url=jdbc:postgresql://db/app?user=app&password=${s}`, 'Tr0ub4dor'],
  ['private key', (s) => `data:\n  tls.key: ${s}`, Buffer.from(pem('PRIVATE KEY')).toString('base64')],
  ['password in a header', (s) => `curl -H "Authorization: Basic ${s}" https://api.example.com`, BASIC],
  ['token in a header', (s) => `headers: { Authorization: 'Bearer ${s}' }`, filler(40)],
  ['password', (s) => `db = connect(user='app', password='${s}')`, 'Tr0ub4dor&3!'],
  ['password', (s) => `DB_PASSWORD = "${s}"`, 'Tr0ub4dorAnd3'],
  ['random value of a secret name', (s) => `define('AUTH_SECRET', '${s}');`, filler(32)],
  ['password of a .netrc', (s) => `machine api.example.com\n  login robot\n  password ${s}`, 'Tr0ub4dor'],
  ['registry password', (s) => `{"auths":{"ghcr.io":{"auth":"${s}"}}}`, BASIC],
  ['random value of a secret name', (s) => `jwtSecret: '${s}',`, filler(32)],
  ['random value of a secret name', (s) => `SESSION_SECRET=${s}`, hex(64)],
  ['random value of a secret name', (s) => `app.api-key: ${s}`, hex(32)],
  ['random value of a secret name', (s) => `{ "client_secret": "${s}" }`, '8f14e45f-ceea-467f-a8b5-2c7d4f1e9b3a'],
] as Array<[string, (secret: string) => string, string]>).map(([kind, text, secret]) => [kind, text(secret), secret]);

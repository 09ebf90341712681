import { createServer, IncomingMessage, Server } from 'node:http';
import { AddressInfo } from 'node:net';
import { SmokeTestedImage, trusting } from './smoke-tested-image';

const FUNCTION_ARN = 'arn:aws:lambda:us-east-1:000000000000:function:check';

interface CheckEvent {
  readonly microvmId: string;
  readonly endpoint: string;
  readonly port: number;
  readonly authToken: string;
  readonly imageArn: string;
  readonly imageVersion: string;
}

let world: SmokeTestedImage;
let lambda: Server;
/** The code of the user's function. */
let code: (event: CheckEvent) => Promise<void>;
let throttles = 0;
let invoked: CheckEvent[];

async function body(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
  }
  return text;
}

beforeEach(async () => {
  invoked = [];
  // The Invoke call of Lambda: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
  lambda = createServer(async (request, response) => {
    if (throttles-- > 0) {
      response.writeHead(429, { 'x-amzn-errortype': 'TooManyRequestsException' });
      return response.end('{"Type":"User","message":"Rate Exceeded."}');
    }
    expect(decodeURIComponent(request.url!)).toBe(`/2015-03-31/functions/${FUNCTION_ARN}/invocations`);
    const event: CheckEvent = JSON.parse(await body(request));
    invoked.push(event);
    try {
      await code(event);
      return response.end('null');
    } catch (error) {
      response.writeHead(200, { 'x-amz-function-error': 'Unhandled' });
      return response.end(JSON.stringify({ errorType: 'Error', errorMessage: (error as Error).message, trace: [] }));
    }
  });
  await new Promise<void>((resolve) => lambda.listen(0, '127.0.0.1', resolve));
  process.env.AWS_ENDPOINT_URL_LAMBDA = `http://127.0.0.1:${(lambda.address() as AddressInfo).port}`;
  world = await SmokeTestedImage.start();
});
afterEach(async () => {
  delete process.env.AWS_ENDPOINT_URL_LAMBDA;
  lambda.closeAllConnections();
  await Promise.all([world.stop(), new Promise((resolve) => lambda.close(resolve))]);
});

const properties = () => world.properties('1.0', { http: undefined, checkFunctionArn: FUNCTION_ARN, port: 9090 });

test('a function that is content: it was given a token that opens the one port, once the app answered', async () => {
  const answers: number[] = [503];
  world.simulator.respond('*', ({ path }) => ({ status: path === '/jobs' ? 201 : answers.shift() ?? 404 }));
  code = async ({ endpoint, port, authToken }) => {
    const call = (to: number) => trusting(world.simulator)(`https://${endpoint}/jobs`, { headers: { 'X-aws-proxy-auth': authToken, 'X-aws-proxy-port': String(to) } });
    expect([(await call(port)).status, (await call(port + 1)).status]).toEqual([201, 403]);
  };
  expect(await world.test().create(properties())).toMatchObject({ Status: 'SUCCESS', Data: { ImageVersion: '1.0' } });
  expect(invoked).toEqual([expect.objectContaining({ imageArn: world.imageArn, imageVersion: '1.0', port: 9090, microvmId: expect.stringMatching(/^microvm-/) })]);
  expect(world.running).toEqual([]);
});

test('a function that throws: its message is the error, the token is in no log, and the MicroVM is gone', async () => {
  code = async () => { throw new Error('POST /jobs answered 500\nand more'); };
  const response = await world.test().create(properties());
  expect(response.Reason).toMatch(/failed its smoke test: function check said: 'POST \/jobs answered 500 and more'\. Log group .* Hint: correct the app/);
  expect(world.running).toEqual([]);
  expect(world.logged.join('')).not.toContain(invoked[0].authToken);
  expect(response.Reason).not.toContain(invoked[0].authToken);
});

test('a throttle of Lambda is waited out, and the function still runs once', async () => {
  throttles = 2;
  code = async () => undefined;
  expect(await world.test().create(properties())).toMatchObject({ Status: 'SUCCESS' });
  expect(invoked).toHaveLength(1);
  expect(world.launches).toBe(1);
});

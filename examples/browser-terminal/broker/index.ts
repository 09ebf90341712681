import { CreateMicrovmShellAuthTokenCommand, LambdaMicrovmsClient, RunMicrovmCommand } from '@aws-sdk/client-lambda-microvms';

/** The service listens here for shells, in every MicroVM that was launched with SHELL_INGRESS. */
const SHELL_PORT = 8022;

const client = new LambdaMicrovmsClient({});

/** What is used of a request that API Gateway has authorized. */
export interface AuthorizedRequest {
  readonly requestContext: { readonly authorizer: { readonly jwt: { readonly claims: Record<string, unknown> } } };
}

export interface Response {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** A MicroVM of their own for whoever is signed in, and the way to its shell: `new WebSocket(url, protocols)`. */
export async function handler(request: AuthorizedRequest): Promise<Response> {
  const { microvmId, endpoint } = await client.send(new RunMicrovmCommand(JSON.parse(process.env.MICROVM_LAUNCH!)));
  const { authToken } = await client.send(new CreateMicrovmShellAuthTokenCommand({
    microvmIdentifier: microvmId,
    // Checked when the shell is opened. One that is open outlives it.
    expirationInMinutes: 5,
  }));
  // Who had which MicroVM. Not the token: whoever has it is root in there.
  console.log(JSON.stringify({ user: request.requestContext.authorizer.jwt.claims.sub, microvmId }));
  return {
    statusCode: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify({
      url: `wss://${endpoint}/shell`,
      // A browser cannot set the header X-aws-proxy-auth on a WebSocket. The service takes its value from here.
      protocols: ['lambda-microvms', `lambda-microvms.authentication.${authToken!['X-aws-proxy-auth']}`, `lambda-microvms.port.${SHELL_PORT}`],
    }),
  };
}

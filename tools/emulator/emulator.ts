import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import * as path from 'node:path';
import { DeleteBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { installEmulator, WORK_FOLDER } from './installation';
import { MicrovmSimulator, SimulatorOptions } from '../../test/simulator';
import { assertLoopback, claimPort, LOOPBACK } from '../processes/loopback';
import { SupervisedProcess } from '../processes/supervised-process';

const ACCOUNT = '000000000000';
const REGION = 'us-east-1';

const PROJECT_ROOT = path.join(__dirname, '..', '..');
const CDK_CLI = path.join(PROJECT_ROOT, 'node_modules', 'aws-cdk', 'bin', 'cdk');
const MINISTACK = path.join(__dirname, 'run-ministack.py');
const HEALTH_POLLS = 100;
const HEALTH_INTERVAL_MS = 100;

export interface EmulatorOptions {
  /** Port of the emulator. Default: a free one. */
  readonly port?: number;
  readonly simulator?: Omit<SimulatorOptions, 's3Endpoint' | 'logsEndpoint' | 'region' | 'accountId'>;
  readonly progress?: (line: string) => void;
}

export interface CdkRun {
  readonly exitCode: number;
  readonly lines: readonly string[];
}

/**
 * AWS on loopback: ministack for CloudFormation, Lambda, Step Functions, S3, IAM and CloudWatch Logs, and the simulator
 * of this project for the Lambda MicroVMs API. See docs/emulator.md.
 */
export class Emulator {
  public static async start(options: EmulatorOptions = {}): Promise<Emulator> {
    const progress = options.progress ?? (() => {});
    const python = await installEmulator(progress);
    const port = await claimPort(options.port);
    const endpoint = `http://${LOOPBACK}:${port}`;
    // Reads, not time, move states on: a poller's pace then decides nothing.
    const simulator = await MicrovmSimulator.start({
      advance: { mode: 'reads', reads: 3 },
      ...options.simulator,
      region: REGION,
      accountId: ACCOUNT,
      s3Endpoint: endpoint,
      logsEndpoint: endpoint,
    });
    // Functions tell by their own clock whether a MicroVM was launched for the request they work on.
    simulator.clock.followsRealTime = true;
    const folder = mkdtempSync(path.join(WORK_FOLDER, 'run-'));
    let emulator: Emulator | undefined;
    try {
      emulator = new Emulator(python, port, endpoint, simulator, folder);
      await emulator.becomesHealthy();
      return emulator;
    } catch (error) {
      await (emulator ?? simulator).stop();
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  private readonly ministack: SupervisedProcess;

  private constructor(
    python: string,
    port: number,
    public readonly endpoint: string,
    public readonly simulator: MicrovmSimulator,
    /** For throw-away apps. Gone after `stop()`, or when this process ends in any other way. */
    public readonly folder: string,
  ) {
    assertLoopback(endpoint);
    assertLoopback(simulator.endpoint);
    const home = path.join(this.folder, 'home');
    mkdirSync(home);
    const endpointCa = path.join(this.folder, 'endpoint-ca.pem');
    writeFileSync(endpointCa, simulator.endpointCa);
    writeFileSync(path.join(home, '.cdk.json'), JSON.stringify({ notices: false, versionReporting: false }));
    this.ministack = new SupervisedProcess(python, [MINISTACK], {
      cwd: home,
      temporaryFolder: this.folder,
      env: {
        ...bareEnvironment(home),
        // Unasked it would listen on all interfaces.
        BIND_HOST: LOOPBACK,
        IOT_MTLS_ENABLED: '0',
        MINISTACK_HOST: LOOPBACK,
        GATEWAY_PORT: String(port),
        MINISTACK_REGION: REGION,
        PERSIST_STATE: '0',
        S3_PERSIST: '0',
        LAMBDA_EXECUTOR: 'local',
        // The Provider's waiter polls back to back.
        SFN_WAIT_SCALE: '0',
        // Calls are refused unless the policies of the caller's role allow them.
        AUTH: 'true',
        // Lambda functions inherit it, so that templates and constructs stay as they are on AWS.
        AWS_ENDPOINT_URL_LAMBDA_MICROVMS: simulator.endpoint,
        NODE_EXTRA_CA_CERTS: endpointCa,
      },
    });
  }

  /** For clients of the AWS SDK in this process. */
  public get clientConfig() {
    return { endpoint: this.endpoint, region: REGION, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  }

  /** How many versions the service has been asked to build since its call log was last cleared. */
  public get buildsStarted(): number {
    return this.simulator.calls.mutations()
      .filter(({ operation }) => operation === 'CreateMicrovmImage' || operation === 'UpdateMicrovmImage').length;
  }

  /** Runs the project's CDK CLI against the emulator. */
  public async cdk(args: readonly string[], options: { cwd: string; env?: NodeJS.ProcessEnv; onLine?: (line: string) => void }): Promise<CdkRun> {
    const cli = new SupervisedProcess(process.execPath, [CDK_CLI, ...args], {
      cwd: options.cwd,
      onLine: options.onLine,
      env: {
        ...bareEnvironment(path.join(this.folder, 'home')),
        AWS_ENDPOINT_URL: this.endpoint,
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
        AWS_REGION: REGION,
        AWS_DEFAULT_REGION: REGION,
        CI: 'true',
        CDK_DISABLE_VERSION_CHECK: '1',
        CDK_DISABLE_CLI_TELEMETRY: '1',
        AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
        TSX_TSCONFIG_PATH: this.tsconfigOfApps(),
        ...options.env,
      },
    });
    return { exitCode: await cli.exited, lines: cli.lines };
  }

  public async bootstrap(): Promise<CdkRun> {
    const run = await this.cdk(['bootstrap', `aws://${ACCOUNT}/${REGION}`], { cwd: path.join(this.folder, 'home') });
    if (run.exitCode !== 0) {
      throw new Error(`cdk bootstrap failed:\n${run.lines.slice(-10).join('\n')}`);
    }
    // It refuses requests without TLS, and the emulator has none.
    const s3 = new S3Client({ ...this.clientConfig, forcePathStyle: true });
    await s3.send(new DeleteBucketPolicyCommand({ Bucket: `cdk-hnb659fds-assets-${ACCOUNT}-${REGION}` }));
    s3.destroy();
    return run;
  }

  public async stop(): Promise<void> {
    await this.ministack.stop();
    await this.simulator.stop();
  }

  /** Apps import the library by its name, as a user's would, and get its sources: nothing needs to be compiled first. */
  private tsconfigOfApps(): string {
    const file = path.join(this.folder, 'tsconfig.json');
    const paths = { 'cdk-lambda-microvms': [path.join(PROJECT_ROOT, 'src', 'index.ts')] };
    writeFileSync(file, JSON.stringify({ compilerOptions: { target: 'ES2022', module: 'node16', esModuleInterop: true, paths } }));
    return file;
  }

  private async becomesHealthy(): Promise<void> {
    for (let poll = 0; poll < HEALTH_POLLS && this.ministack.isRunning; poll++) {
      const healthy = await fetch(`${this.endpoint}/_ministack/health`).then((response) => response.ok, () => false);
      if (healthy) {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, HEALTH_INTERVAL_MS));
    }
    const how = this.ministack.isRunning ? `did not answer in ${HEALTH_POLLS * HEALTH_INTERVAL_MS / 1000} s` : 'ended at once';
    throw new Error(`the emulator ${how}. Its last words:\n${this.ministack.lines.slice(-10).join('\n')}`);
  }
}

/** No variable of the caller's gets through but these: a profile, a proxy or an endpoint of a real account must not. */
function bareEnvironment(home: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    LANG: process.env.LANG ?? 'C.UTF-8',
    HOME: home,
    TMPDIR: home,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
}

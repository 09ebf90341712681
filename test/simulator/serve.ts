import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { MicrovmSimulator } from './simulator';

const { values } = parseArgs({
  options: {
    'port': { type: 'string', default: '0' },
    's3-endpoint': { type: 'string' },
    'logs-endpoint': { type: 'string' },
    'region': { type: 'string' },
    'account': { type: 'string' },
    'reads': { type: 'string', default: '3' },
    'processes': { type: 'boolean', default: false },
    'ca-file': { type: 'string' },
  },
});

async function main(): Promise<void> {
  const simulator = await MicrovmSimulator.start({
    port: Number(values.port),
    region: values.region,
    accountId: values.account,
    s3Endpoint: values['s3-endpoint'],
    logsEndpoint: values['logs-endpoint'],
    advance: { mode: 'reads', reads: Number(values.reads) },
    guests: { mode: values.processes ? 'process' : 'scripted' },
  });
  if (values['ca-file']) {
    writeFileSync(values['ca-file'], simulator.endpointCa);
  }
  console.log(`MicroVMs simulator listening on ${simulator.endpoint}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void simulator.stop());
  }
}

main().catch((error: NodeJS.ErrnoException) => {
  console.error(error.code === 'EADDRINUSE' ? `port ${values.port} of 127.0.0.1 is in use` : error.message);
  process.exitCode = 1;
});

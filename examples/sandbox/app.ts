import { App } from 'aws-cdk-lib';
import { SandboxStack } from './sandbox-stack';

const app = new App();
new SandboxStack(app, 'Sandbox');

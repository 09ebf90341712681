import { App, Validations } from 'aws-cdk-lib';
import { MicrovmPolicyChecks } from 'cdk-lambda-microvms';
import { SandboxStack } from './sandbox-stack';

const app = new App();
Validations.of(app).addPlugins(new MicrovmPolicyChecks());
new SandboxStack(app, 'Sandbox');

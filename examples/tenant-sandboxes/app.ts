import { App } from 'aws-cdk-lib';
import { TenantSandboxesStack } from './tenant-sandboxes-stack';

const app = new App();
new TenantSandboxesStack(app, 'TenantSandboxes', { tenants: ['ant', 'bee'] });

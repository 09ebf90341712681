import { App } from 'aws-cdk-lib';
import { LaunchersStack } from './launchers-stack';

const app = new App();
new LaunchersStack(app, 'Launchers');

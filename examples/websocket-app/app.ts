import { App } from 'aws-cdk-lib';
import { WebsocketAppStack } from './websocket-app-stack';

const app = new App();
new WebsocketAppStack(app, 'WebsocketApp');

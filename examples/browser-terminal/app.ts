import { App } from 'aws-cdk-lib';
import { BrowserTerminalStack } from './browser-terminal-stack';

const app = new App();
new BrowserTerminalStack(app, 'BrowserTerminal');

export type { CdkRun, EmulatorOptions } from './emulator';
export { Emulator } from './emulator';
export { bundleHandlers } from './handler-bundles';
export { SupervisedProcess } from '../processes/supervised-process';

export type { CdkRun, EmulatorOptions } from './emulator';
export { Emulator } from './emulator';
export { bundleHandlers } from './handler-bundles';
export { LocalGuest } from './local-guest';
export { SupervisedProcess } from '../processes/supervised-process';

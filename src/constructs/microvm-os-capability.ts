/**
 * Linux capabilities that the container in a MicroVM gets beyond the usual.
 */
export enum MicrovmOsCapability {
  /** All of them: for example to mount file systems, or to run containers inside the MicroVM. */
  ALL = 'ALL',
}

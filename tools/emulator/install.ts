import { EmulatorUnavailable, installEmulator } from './installation';

installEmulator((line) => console.log(line)).catch((error) => {
  console.error(error instanceof EmulatorUnavailable ? error.message : error);
  process.exitCode = 1;
});

import { rmSync } from 'node:fs';

export default function () {
  rmSync(process.env.TMPDIR!, { recursive: true, force: true });
}

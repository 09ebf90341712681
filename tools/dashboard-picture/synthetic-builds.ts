import { Series } from './metric-math';

const DAYS = 90;
const DAY = 86_400;
const MIB = 1024 * 1024;
/** Of the last day shown. */
const TODAY = Date.UTC(2026, 9, 1) / 1_000;

/** The days the picture shows, in seconds since 1970. */
export const EPOCHS = Array.from({ length: DAYS }, (_, index) => TODAY - (DAYS - 1 - index) * DAY);

interface History {
  /** Days with a build. */
  readonly built: number[];
  readonly failed: number[];
  /** Days from which on builds use a base image that came out three days before. */
  readonly refreshed: number[];
  readonly seconds: number;
  readonly mebibytes: number;
}

/** Of the images of the sample stack, by the start of their names. */
const HISTORIES: Record<string, History> = {
  Sandbox: {
    built: [2, 6, 9, 15, 20, 21, 29, 34, 41, 48, 52, 60, 66, 71, 77, 85], failed: [20, 52], refreshed: [34, 66], seconds: 150, mebibytes: 700,
  },
  Notebook: { built: [4, 18, 33, 47, 61, 76], failed: [47], refreshed: [61], seconds: 420, mebibytes: 2_300 },
};

/** Values as the handler would have written them; none of them was measured. */
export function syntheticMetric(name: string, imageName: string): Series {
  const [, history] = Object.entries(HISTORIES).find(([image]) => imageName.includes(image)) ?? [];
  if (history === undefined) {
    throw new Error(`no synthetic builds of image '${imageName}'`);
  }
  const { built, failed, refreshed, seconds, mebibytes } = history;
  return EPOCHS.map((_, day) => {
    if (!built.includes(day)) {
      return undefined;
    }
    const build = built.indexOf(day);
    const succeeded = !failed.includes(day);
    const refresh = refreshed.filter((each) => each <= day).pop();
    const growth = 1 + 0.015 * build + 0.04 * Math.sin(3 * build);
    switch (name) {
      case 'BuildDuration': return seconds * growth;
      case 'BuildsFailed': return succeeded ? 0 : 1;
      case 'MemorySnapshotSize': return succeeded ? mebibytes * MIB * growth : undefined;
      case 'DiskSnapshotSize': return succeeded ? 0.6 * mebibytes * MIB * growth : undefined;
      case 'CodeInstallSize': return 0.4 * mebibytes * MIB * growth;
      case 'Versions': return Math.min(6, build + 1) + (succeeded ? 0 : 1);
      case 'VersionsInUse': return succeeded ? 1 + (build % 3) : undefined;
      case 'BaseImageAge': return succeeded ? (refresh === undefined ? 25 + day : 3 + day - refresh) : undefined;
      default: throw new Error(`no synthetic values of metric '${name}'`);
    }
  });
}

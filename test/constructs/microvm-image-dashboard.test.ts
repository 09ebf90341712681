import { App, Duration, Stack } from 'aws-cdk-lib';
import { ENV, imageIn, only, stackOf, text } from './fixtures';
import { MicrovmImageDashboard, MicrovmImageDashboardProps } from '../../src';

function dashboard(count: number, props: Partial<MicrovmImageDashboardProps> = {}): any {
  const stack = stackOf({ env: ENV });
  const images = Array.from({ length: count }, (_, index) => imageIn(stack, { imageName: `image-${index}` }, `Image${index}`));
  new MicrovmImageDashboard(stack, 'Dashboard', { images, ...props });
  const { Properties } = only(stack, 'AWS::CloudWatch::Dashboard');
  return { ...JSON.parse(text(Properties.DashboardBody)), name: Properties.DashboardName };
}

/** The metrics of each widget, by its title. */
const shown = (body: any): Record<string, string[]> => Object.fromEntries(body.widgets.map(({ properties }: any) => [
  properties.title, [...new Set<string>(properties.metrics.filter((row: unknown[]) => row.length > 1).map((row: string[]) => row[1]))],
]));

test('shows build time, failures, snapshot sizes, versions and those in use, and the age of the base image', () => {
  expect(shown(dashboard(1))).toEqual({
    'Build time (seconds)': ['BuildDuration'],
    'Failed builds': ['BuildsFailed'],
    'Snapshot sizes (bytes)': ['MemorySnapshotSize', 'DiskSnapshotSize', 'CodeInstallSize'],
    'Versions, and those in use': ['Versions', 'VersionsInUse'],
    'Age of the base image (days)': ['BaseImageAge'],
  });
});

test('shows every image in every widget, under a label of its own', () => {
  for (const { properties: { metrics } } of dashboard(3).widgets) {
    const names = metrics.filter((row: unknown[]) => row.length > 1).map((row: unknown[]) => row[3]);
    expect([...new Set(names)]).toEqual(['image-0', 'image-1', 'image-2']);
    const labels = metrics.map((row: any[]) => row[row.length - 1]).filter(({ visible }: any) => visible !== false).map(({ label }: any) => label);
    expect(new Set(labels).size).toBe(labels.length);
    expect(labels).toEqual(expect.arrayContaining([expect.stringMatching(/^Image2/)]));
  }
});

test('asks for values of an hour, which CloudWatch keeps for the 90 days it looks back', () => {
  const body = dashboard(1);
  expect(body.start).toBe('-P90D');
  const periods = body.widgets.flatMap(({ properties }: any) => properties.metrics.map((row: any[]) => row[row.length - 1].period ?? 300));
  expect([...new Set(periods)]).toEqual([3_600]);
});

test('takes a name and another time', () => {
  expect(dashboard(1, { dashboardName: 'images', interval: Duration.days(7) })).toMatchObject({ name: 'images', start: '-P7D' });
});

test('shows images of another stack without an export', () => {
  const app = new App();
  const image = imageIn(new Stack(app, 'Images'));
  const other = new Stack(app, 'Other');
  new MicrovmImageDashboard(other, 'Dashboard', { images: [image] });
  expect(JSON.stringify(only(other, 'AWS::CloudWatch::Dashboard'))).not.toMatch(/ImportValue|GetStackOutput/);
});

test('needs an image', () => {
  expect(() => dashboard(0)).toThrow('images must name at least one image, got none');
});

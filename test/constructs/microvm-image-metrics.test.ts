import { App, Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { ENV, imageIn, only, stackOf } from './fixtures';
import { IMicrovmImage, MicrovmImage } from '../../src';
import { Metric } from '../../src/custom-resources/microvm-image/contract';
import { buildMetrics } from '../../src/custom-resources/microvm-image/handler/build-metrics';

/** Everything the handler can say of a build. */
const EMITTED: any = buildMetrics({
  imageName: 'golden', succeeded: true, durationMs: 1, snapshots: [{ codeBytes: 1, memoryBytes: 1, diskBytes: 1 }], versions: 1, versionsInUse: 1, baseImageAge: 1,
}, 0);
const [{ Namespace, Metrics, Dimensions: [[DIMENSION]] }] = EMITTED._aws.CloudWatchMetrics;
const NAMES: string[] = Metrics.map(({ Name }: { Name: string }) => Name);

/** The methods `metricX` of an image. */
function helpers(image: IMicrovmImage): Record<string, cloudwatch.Metric> {
  const names: string[] = [];
  for (let type = Object.getPrototypeOf(image); type; type = Object.getPrototypeOf(type)) {
    names.push(...Object.getOwnPropertyNames(type).filter((name) => /^metric[A-Z]/.test(name)));
  }
  return Object.fromEntries(names.map((name) => [name, (image as any)[name]()]));
}

test('a build emits all metrics there are but that of a refresh, and an image has a method for each, by that name', () => {
  expect([...NAMES, Metric.BASE_IMAGE_DAYS_LEFT].sort()).toEqual(Object.values(Metric).sort());
  const methods = helpers(imageIn(stackOf()));
  expect(Object.entries(methods).map(([method, { metricName }]) => [method, metricName]).sort()).toEqual(NAMES.map((name) => [`metric${name}`, name]).sort());
});

test.each<[string, (stack: Stack) => IMicrovmImage]>([
  ['of this app', (stack) => imageIn(stack, { imageName: 'golden' })],
  ['that is defined elsewhere', (stack) => MicrovmImage.fromImageArn(stack, 'Image', `arn:aws:lambda:${ENV.region}:${ENV.account}:microvm-image:golden`)],
])('the metrics of an image %s are those that the handler writes for its name', (_what, define) => {
  const stack = stackOf({ env: ENV });
  define(stack).metricBuildDuration().createAlarm(stack, 'Alarm', { threshold: 1, evaluationPeriods: 1 });
  expect(only(stack, 'AWS::CloudWatch::Alarm').Properties).toMatchObject({
    Namespace, MetricName: 'BuildDuration', Dimensions: [{ Name: DIMENSION, Value: EMITTED[DIMENSION] }], Statistic: 'Maximum', Period: 300,
  });
});

test('the metrics of an image in another region are read there', () => {
  const metric = MicrovmImage.fromImageArn(stackOf({ env: ENV }), 'Image', `arn:aws:lambda:eu-west-1:${ENV.account}:microvm-image:golden`).metricBuildsFailed();
  expect([metric.region, metric.account]).toEqual(['eu-west-1', ENV.account]);
});

test('an alarm about an image needs no image, and so is there when the first build fails', () => {
  const stack = stackOf();
  imageIn(stack).metricBuildsFailed().createAlarm(stack, 'Alarm', { threshold: 1, evaluationPeriods: 1 });
  const alarm = only(stack, 'AWS::CloudWatch::Alarm');
  expect(alarm.Properties.Dimensions).toEqual([{ Name: 'ImageName', Value: expect.stringMatching(/^Stack-\w+-Image-\w+$/) }]);
  expect(alarm.Properties).not.toHaveProperty('Metrics');
});

test('a metric of an image of another stack makes no export', () => {
  const app = new App();
  const image = imageIn(new Stack(app, 'Images'));
  const other = new Stack(app, 'Other');
  image.metricVersions().createAlarm(other, 'Alarm', { threshold: 1, evaluationPeriods: 1 });
  expect(JSON.stringify(only(other, 'AWS::CloudWatch::Alarm'))).not.toMatch(/ImportValue|GetStackOutput/);
});

test('statistic, period and label can be chosen', () => {
  expect(imageIn(stackOf()).metricBuildDuration({ statistic: 'p50', label: 'half' })).toMatchObject({ statistic: 'p50', label: 'half' });
});

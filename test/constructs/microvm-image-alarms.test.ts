import { Duration, Lazy } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { imageIn, resources, stackOf } from './fixtures';
import { MicrovmImageAlarms, MicrovmImageAlarmsProps } from '../../src';

function alarms(props: Partial<MicrovmImageAlarmsProps> = {}, action?: cloudwatch.IAlarmAction): Record<string, any> {
  const stack = stackOf();
  const set = new MicrovmImageAlarms(stack, 'Alarms', { image: imageIn(stack), ...props });
  if (action) {
    set.addAlarmAction(action);
  }
  return Object.fromEntries(Object.values(resources(stack, 'AWS::CloudWatch::Alarm')).map(({ Properties }) => [Properties.MetricName, Properties]));
}

const thresholds = (found: Record<string, any>) => Object.fromEntries(Object.entries(found).map(([metric, { Threshold }]) => [metric, Threshold]));

test('an image has an alarm for a failed build, a slow one, many versions and an old base image', () => {
  expect(thresholds(alarms())).toEqual({ BuildsFailed: 0, BuildDuration: 1_800, Versions: 45, BaseImageAge: 90 });
});

test('limits can be chosen', () => {
  expect(thresholds(alarms({ buildDuration: Duration.minutes(5), versions: 10, baseImageAge: Duration.days(30) })))
    .toEqual({ BuildsFailed: 0, BuildDuration: 300, Versions: 10, BaseImageAge: 30 });
});

test('each is about the last build: a value beyond the limit raises it, and it stays as it is until the next build', () => {
  for (const alarm of Object.values(alarms())) {
    expect(alarm).toMatchObject({ ComparisonOperator: 'GreaterThanThreshold', EvaluationPeriods: 1, Period: 60, TreatMissingData: 'ignore' });
    expect(alarm.AlarmDescription).toBeTruthy();
  }
});

test('what is to be done is done for each of them', () => {
  const found = alarms({}, { bind: () => ({ alarmActionArn: 'arn:aws:sns:us-east-1:123456789012:topic' }) });
  expect(Object.values(found).map(({ AlarmActions }) => AlarmActions)).toEqual(Array.from({ length: 4 }, () => ['arn:aws:sns:us-east-1:123456789012:topic']));
});

test.each([0, 50, 4.5, -1])('%s versions is no limit to watch', (versions) => {
  expect(() => alarms({ versions })).toThrow(`versions must be a whole number from 1 to 49, got ${versions}`);
});

test('a limit that only the deployment knows is not judged', () => {
  expect(() => alarms({ versions: Lazy.number({ produce: () => 3 }) })).not.toThrow();
});

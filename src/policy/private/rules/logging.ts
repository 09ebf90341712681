import { Finding, Rule, Subjects } from './rule';
import { MicrovmPolicySeverity } from '../../microvm-policy-rule';
import { SynthesizedResource } from '../synthesized-template';

export const logGroup: Rule = {
  id: 'log-group',
  severity: MicrovmPolicySeverity.WARNING,
  why: 'a group that the service makes by itself keeps everything for ever and outlives the stack, and without logs a failed build tells little',
  fix: 'let MicrovmImage make the log group, or give a logs.LogGroup of the app with a retention',
  check: (subjects) => [
    ...subjects.images.flatMap(({ resource, loggingDisabled, logGroupName }): Finding[] => {
      const location = 'Properties.Logging';
      if (loggingDisabled) {
        return [{ resource, location, message: 'builds of the image do not log' }];
      }
      return logGroupName === undefined
        ? [{ resource, location, message: 'the image names no log group' }]
        : ofGroup(subjects, resource, location, logGroupName);
    }),
    ...subjects.launches.flatMap(({ resource, location, loggingDisabled, logGroupName }): Finding[] => {
      if (loggingDisabled) {
        return [{ resource, location, message: 'MicroVMs are launched that do not log' }];
      }
      return logGroupName === undefined ? [] : ofGroup(subjects, resource, location, logGroupName);
    }),
  ],
};

function ofGroup({ app }: Subjects, resource: SynthesizedResource, location: string, name: string): Finding[] {
  const group = app.ofType('AWS::Logs::LogGroup').find(({ physicalName }) => physicalName.name === name);
  if (group === undefined) {
    return /\$\{|\{\{/.test(name) ? [] : [{ resource, location, message: 'the log group is not one of this app' }];
  }
  return group.properties.RetentionInDays === undefined
    ? [{ resource: group, location: 'Properties.RetentionInDays', message: 'the log group of MicroVMs keeps everything for ever' }]
    : [];
}

import * as fc from 'fast-check';
import { findingsInTemplate } from './findings';
import { goodCustomTemplate, goodTemplate } from './good-template';

/** What a template can have in any place, right or wrong. A check that throws fails the synth, whatever the template is for. */
const ODD: unknown[] = [
  null, 0, '', 'text', true, [], {}, [null], { key: null },
  ...['Ref', 'Fn::GetAtt', 'Fn::Sub', 'Fn::Join', 'Fn::If', 'Fn::Select', 'Fn::Split', 'Fn::FindInMap', 'Fn::ImportValue', 'Fn::GetStackOutput', 'Fn::Base64', 'Fn::Length', 'Fn::ToJsonString']
    .flatMap((name) => [{ [name]: null }, { [name]: [] }, { [name]: 'Nowhere' }]),
  { Ref: 'AWS::NoValue' }, { 'Fn::Transform': { Name: 'AWS::Include' } }, { 'Fn::ForEach::Each': ['X', ['a'], {}] },
  { 'Fn::If': ['Unknown', { Ref: 'AWS::NoValue' }, 5] }, { 'Fn::Sub': ['${A}', null] }, { 'Fn::FindInMap': ['Map', 'a', 'b'] },
];

/** A good template with all that the checks look at in it. */
function template(good: () => any): any {
  const made = good();
  Object.assign(made.Resources, {
    Nested: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: 'https://example.com', Parameters: { A: '1' } } },
    Machine: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: {
        Definition: { States: { Run: { Resource: 'arn:aws:states:::aws-sdk:lambdamicrovms:runMicrovm', Parameters: { ImageIdentifier: 'x', Logging: { CloudWatch: { LogGroup: 'x' } } } } } },
        DefinitionSubstitutions: { a: 'b' },
      },
    },
    Task: { Type: 'AWS::ECS::TaskDefinition', Properties: { TaskRoleArn: 'x', ContainerDefinitions: [{ Environment: [{ Name: 'IMAGE', Value: { Ref: 'Image' } }] }] } },
    Schedule: { Type: 'AWS::Scheduler::Schedule', Properties: { Target: { Arn: 'arn:aws:scheduler:::aws-sdk:lambdamicrovms:runMicrovm', Input: '{"ImageIdentifier":"x"}' } } },
    Set: { Type: 'AWS::SSO::PermissionSet', Properties: { InlinePolicy: { Statement: [] } } },
  });
  return {
    ...made,
    Parameters: { P: { Type: 'String', Default: 'x' } },
    Conditions: { C: { 'Fn::Equals': [{ Ref: 'P' }, 'x'] } },
    Mappings: { Map: { a: { b: 'c' } } },
    Outputs: { O: { Value: { Ref: 'Image' }, Export: { Name: 'o' } } },
  };
}

function paths(value: unknown, path: string[] = []): string[][] {
  return [path, ...(typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([key, entry]) => paths(entry, [...path, key])) : [])];
}

test.each([['CloudFormation', goodTemplate], ['this library', goodCustomTemplate]])('whatever stands in a template, no check throws: around an image built by %s', (_by, good) => {
  const places = paths(template(good)).slice(1);
  const props = { strict: true, requiredTags: ['team'], maximumMemoryMiB: 512, allowedBaseImages: ['x'] };
  fc.assert(fc.property(fc.constantFrom(...places), fc.constantFrom(...ODD), (place, odd) => {
    const changed = template(good);
    const parent = place.slice(0, -1).reduce((value, key) => value[key], changed);
    parent[place[place.length - 1]] = JSON.parse(JSON.stringify(odd));
    expect(() => findingsInTemplate(changed, props)).not.toThrow();
  }), { numRuns: 300 });
});

test.each([
  ['nothing', {}],
  ['resources that a macro makes', { Resources: { 'Fn::ForEach::Roles': ['Name', ['a'], { 'Role${Name}': { Type: 'AWS::IAM::Role' } }] } }],
  ['resources that are included', { Transform: 'AWS::Include', Resources: { 'Fn::Transform': { Name: 'AWS::Include', Parameters: {} } } }],
  ['a resource and an output that are nothing', { Resources: { Role: null }, Outputs: { Out: null } }],
  ['a function without arguments', { Resources: { Logs: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: { 'Fn::GetStackOutput': null } } } } }],
  ['a resource without properties', { Resources: { Image: { Type: 'AWS::SNS::Topic' }, Role: { Type: 'AWS::IAM::Role' } } }],
])('nothing is found in a template with %s', (_what, odd) => {
  expect(findingsInTemplate(odd)).toEqual([]);
});

test.each(['5', 'null', '[]', '"imageIdentifier"', '{"imageIdentifier":', '{"imageIdentifier":{"a":null},"logging":5,"runHookPayload":{}}'])('a parameter with the value %s does not fail the synth', (Value) => {
  expect(() => findingsInTemplate({ Resources: { Parameter: { Type: 'AWS::SSM::Parameter', Properties: { Value } } } })).not.toThrow();
});

import { existsSync, readdirSync, readFileSync } from 'fs';
import { join } from 'path';
import * as ts from 'typescript';
import * as library from '../../src';

const ROOT = join(__dirname, '..', '..');

interface Docs {
  readonly summary?: string;
  readonly default?: string;
  readonly example?: string;
}
interface Member {
  readonly name: string;
  readonly docs?: Docs;
  readonly optional?: boolean;
  readonly type?: unknown;
  readonly parameters?: Member[];
  readonly overrides?: string;
  readonly abstract?: boolean;
}
interface Type extends Member {
  readonly kind: 'class' | 'interface' | 'enum';
  readonly datatype?: boolean;
  readonly properties?: Member[];
  readonly methods?: Member[];
  readonly members?: Member[];
}

const assembly = JSON.parse(readFileSync(join(ROOT, '.jsii'), 'utf8'));
const types: Type[] = Object.values(assembly.types);

/** Failing names, so that a red test says which. */
function offenders(pick: (type: Type) => string[]): string[] {
  return types.flatMap((type) => pick(type).map((name) => (name === '' ? type.name : `${type.name}.${name}`)));
}

/** Public classes of the sources, as the compiler declares them. */
function declaredClasses(): ts.ClassDeclaration[] {
  const folders = ['constructs', 'policy'].map((name) => join(ROOT, 'lib', name));
  const files = folders.flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith('.d.ts')).map((name) => join(folder, name)));
  return files.flatMap((file) => {
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true);
    return source.statements.filter(ts.isClassDeclaration);
  });
}

test('everything public is documented', () => {
  expect(offenders((type) => [
    ...(type.docs?.summary ? [] : ['']),
    ...[...type.properties ?? [], ...type.methods ?? [], ...type.members ?? []]
      // What overrides a documented member of aws-cdk-lib has its documentation there.
      .filter((member) => !member.docs?.summary && !member.overrides)
      .map((member) => member.name),
  ])).toEqual([]);
});

test('every optional property says what happens without it', () => {
  expect(offenders((type) => (type.datatype ? type.properties ?? [] : [])
    .filter((property) => property.optional && (!property.docs?.default || /undefined/.test(property.docs.default)))
    .map((property) => property.name))).toEqual([]);
});

test('nothing is untyped, but for the question whether something is of a type', () => {
  const isAny = (member: Member) => JSON.stringify(member.type ?? {}).includes('"any"');
  expect(offenders((type) => [
    ...(type.properties ?? []).filter(isAny).map((property) => property.name),
    ...(type.methods ?? []).filter((method) => !/^is[A-Z]/.test(method.name) && (method.parameters ?? []).some(isAny)).map((method) => method.name),
  ])).toEqual([]);
});

test('no union and no map of anything but text: they are untyped in other languages', () => {
  expect(offenders((type) => [...type.properties ?? [], ...(type.methods ?? []).flatMap((method) => method.parameters ?? [])]
    .filter((member) => /"union":/.test(JSON.stringify(member.type ?? {})))
    .map((member) => member.name))).toEqual([]);
});

test('every export exists in every language: jsii drops constants, functions and namespaces without a word', () => {
  const known = new Set(types.map((type) => type.name));
  expect(Object.keys(library).filter((name) => !known.has(name))).toEqual([]);
});

test('no method is overloaded: jsii keeps only the first signature', () => {
  const overloaded = declaredClasses().flatMap((declaration) => {
    const names = declaration.members.filter(ts.isMethodDeclaration).map((method) => method.name.getText());
    return names.filter((name, index) => names.indexOf(name) !== index).map((name) => `${declaration.name?.text}.${name}`);
  });
  expect(overloaded).toEqual([]);
});

test('every class has an example', () => {
  expect(types.filter((type) => type.kind === 'class' && !type.docs?.example).map((type) => type.name)).toEqual([]);
});

test('every name says that it is about MicroVMs', () => {
  const promised = [
    'ExecutionRole', 'ExecutionRoleProps', 'NetworkConnectorPolicy', 'NetworkConnectorPolicyProps', 'NetworkConnectorGuardrail',
    'NetworkConnectorGuardrailOptions', 'BaseImageRefresh', 'BaseImageRefreshProps', 'RunningMicrovms', 'CustomEngineOptions', 'CloudFormationEngineOptions',
  ];
  expect(types.map((type) => type.name).filter((name) => !/^I?Microvm/.test(name) && !promised.includes(name))).toEqual([]);
});

test('enums carry the text that goes into templates', () => {
  const enums = types.filter((type) => type.kind === 'enum').map((type) => type.name);
  expect(enums.filter((name) => Object.values((library as Record<string, any>)[name]).some((value) => typeof value !== 'string'))).toEqual([]);
});

test('the published package depends on nothing beyond its peers', () => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(manifest.dependencies ?? {}).toEqual({});
  expect(manifest.bundledDependencies ?? []).toEqual([]);
  expect(Object.keys(manifest.peerDependencies).sort()).toEqual(['aws-cdk-lib', 'constructs']);
});

test('handler code is not compiled into the package', () => {
  const driver = (resource: string) => join(ROOT, 'lib', 'custom-resources', resource, 'handler', 'driver.js');
  expect(['microvm-image', 'microvm-smoke-test', 'microvm-image-publication'].filter((resource) => existsSync(driver(resource)))).toEqual([]);
  expect(existsSync(join(ROOT, 'lib', 'custom-resources', 'common'))).toBe(false);
});

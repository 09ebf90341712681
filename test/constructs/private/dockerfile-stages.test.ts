import { x86Evidence } from '../../../src/constructs/private/container-base';
import { finalChain, readDockerfile } from '../../../src/constructs/private/dockerfile-stages';

const chain = (...lines: string[]) => finalChain(readDockerfile(lines.join('\n')).stages);
const x86 = (...lines: string[]) => chain(...lines).map(x86Evidence).find((evidence) => evidence !== undefined);
const baseOf = (...lines: string[]) => chain(...lines).pop()?.image;
const exposes = (port: number, ...lines: string[]) => readDockerfile(['FROM scratch', ...lines].join('\n')).exposes(port);

test.each([
  ['FROM --platform=linux/amd64 node', '--platform=linux/amd64'],
  ['FROM --platform=linux/x86_64 node', '--platform=linux/x86_64'],
  ['FROM --platform=linux/x86-64 node', '--platform=linux/x86-64'],
  ['FROM --platform=linux/amd64/v3 node', '--platform=linux/amd64/v3'],
  ['FROM --platform=amd64 node', '--platform=amd64'],
  ['FROM --platform=i386 node', '--platform=i386'],
  ['FROM amd64/node:24', 'amd64/node:24'],
  ['FROM docker.io/i386/debian', 'docker.io/i386/debian'],
  ['FROM public.ecr.aws/lambda/nodejs:24-x86_64', 'public.ecr.aws/lambda/nodejs:24-x86_64'],
  ['FROM node:24-amd64@sha256:abc', 'node:24-amd64@sha256:abc'],
  ['from --platform=linux/amd64 node', '--platform=linux/amd64'],
])('x86 only: %s', (line, evidence) => {
  expect(x86(line)).toBe(evidence);
});

test.each([
  'FROM node:24',
  'FROM --platform=linux/arm64 node:24',
  'FROM --platform=$BUILDPLATFORM node:24',
  'FROM node:24-$TARGETARCH-x86_64',
  'FROM registry.example.com/amd64-tools/node:24',
  'FROM registry.example.com:5000/node',
])('not x86 only: %s', (line) => {
  expect(x86(line)).toBeUndefined();
});

test('only the stages that end up in the image count', () => {
  expect(x86('FROM --platform=linux/amd64 node AS build', 'FROM scratch', 'COPY --from=build /a /a')).toBeUndefined();
  expect(x86('FROM --platform=linux/amd64 node AS Base', 'FROM base AS middle', 'FROM middle')).toBe('--platform=linux/amd64');
});

test('a stage may have the name of the image it starts from', () => {
  expect(baseOf('FROM node AS node', 'FROM node AS node')).toBe('node');
});

test('comments, continued lines and heredocs are no instructions', () => {
  expect(x86('# FROM amd64/node', 'FROM \\', '  # why', '  scratch')).toBeUndefined();
  expect(x86('FROM scratch', 'RUN <<EOF', 'FROM amd64/node', 'EOF')).toBeUndefined();
  expect(x86('FROM scratch', 'COPY <<-"ONE" <<TWO /', 'FROM amd64/a', 'ONE', 'FROM amd64/b', 'TWO', 'FROM amd64/c')).toBe('amd64/c');
  expect(x86('# escape=`', 'FROM scratch', 'RUN dir C:\\', 'FROM amd64/node')).toBe('amd64/node');
  expect(x86('FROM scratch', 'RUN echo a \\', 'FROM amd64/node')).toBeUndefined();
});

test('a text without FROM has no image', () => {
  expect(baseOf('')).toBeUndefined();
  expect(baseOf('RUN true', '')).toBeUndefined();
});

test('a port is exposed alone, in a list, in a range, and by an earlier stage the last one continues', () => {
  expect(exposes(9000, 'EXPOSE 9000')).toBe(true);
  expect(exposes(9000, 'EXPOSE 8080 9000/tcp')).toBe(true);
  expect(exposes(9000, 'expose 8000-9000')).toBe(true);
  expect(readDockerfile('FROM a AS base\nEXPOSE 9000\nFROM base').exposes(9000)).toBe(true);
});

test('a port is not exposed by another protocol, stage or number', () => {
  expect(exposes(9000)).toBe(false);
  expect(exposes(9000, 'EXPOSE 9000/udp')).toBe(false);
  expect(exposes(9000, 'EXPOSE 9001')).toBe(false);
  expect(readDockerfile('FROM a AS build\nEXPOSE 9000\nFROM scratch').exposes(9000)).toBe(false);
});

test('whether a port in a variable is exposed cannot be told', () => {
  expect(exposes(9000, 'EXPOSE $PORT')).toBeUndefined();
});

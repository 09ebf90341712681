import * as fs from 'fs';
import * as path from 'path';
import { Annotations as Found, Match } from 'aws-cdk-lib/assertions';
import { imageIn, stackOf } from './fixtures';
import { MicrovmCode } from '../../src';

const CORPUS = path.join(__dirname, 'corpus');

interface Case {
  readonly name: string;
  readonly text: string;
  /** Its last lines: `# expect: <topic> <a part of the message>`. */
  readonly expected: string[];
}

function casesIn(folder: string): Case[] {
  return fs.readdirSync(path.join(CORPUS, folder)).map((file) => {
    const lines = fs.readFileSync(path.join(CORPUS, folder, file), 'utf8').split('\n');
    const isExpectation = (line: string) => line.startsWith('# expect: ');
    return {
      name: path.basename(file, '.Dockerfile'),
      text: lines.filter((line) => !isExpectation(line)).join('\n'),
      expected: lines.filter(isExpectation).map((line) => line.slice('# expect: '.length).trim()),
    };
  });
}

/** All that is said about a Dockerfile, errors too, as `<topic> <message>`. */
function findings(dockerfile: string): string[] {
  const stack = stackOf();
  try {
    imageIn(stack, { code: MicrovmCode.fromInline({ dockerfile }) });
  } catch (error) {
    return [`error: ${(error as Error).message}`];
  }
  return Found.fromStack(stack).findWarning('*', Match.anyValue()).map(({ entry }) => {
    const [, message, topic] = /^(.*) \[ack: cdk-lambda-microvms:(\w+)\]$/s.exec(String(entry.data))!;
    return `${topic} ${message}`;
  });
}

function expectExactly(found: string[], expected: string[]) {
  expect(found).toHaveLength(expected.length);
  expected.forEach((one) => {
    const [topic, ...part] = one.split(' ');
    expect(found).toContainEqual(expect.stringMatching(new RegExp(`^${topic} `)));
    expect(found.filter((message) => message.startsWith(`${topic} `)).join()).toContain(part.join(' '));
  });
}

const ORDINARY = casesIn('ordinary');
const FAULTY = casesIn('faulty');

test.each(ORDINARY)('an ordinary Dockerfile: $name', ({ text, expected }) => {
  expectExactly(findings(text), expected);
});

test.each(FAULTY)('a Dockerfile with a fault: $name', ({ text, expected }) => {
  expectExactly(findings(text), expected);
});

test('the corpus is large, nothing but the base is ever wrong with an ordinary Dockerfile, and each fault says so', () => {
  expect(ORDINARY.length).toBeGreaterThanOrEqual(40);
  expect(ORDINARY.flatMap(({ expected }) => expected).filter((one) => !one.startsWith('snapshotUnsafeBase line '))).toEqual([]);
  expect(FAULTY.filter(({ expected }) => expected.length === 0)).toEqual([]);
});

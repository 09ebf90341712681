import * as fs from 'fs';
import * as path from 'path';
import * as fc from 'fast-check';
import { assignmentsOf, Instruction, parseDockerfile } from '../../../src/constructs/private/dockerfile';
import { namedSecrets } from '../../../src/constructs/private/dockerfile-checks';
import { builtStages, readDockerfile } from '../../../src/constructs/private/dockerfile-stages';

const parse = (...lines: string[]) => parseDockerfile(lines.join('\n'));
const shape = ({ line, keyword, words }: Instruction) => [line, keyword, ...words.map((word) => word.text)];

test('an instruction has a line, a keyword in capitals, flags and words', () => {
  const [copy] = parse('', '  copy --from=build --link "a b" c\\ d /e  ');
  expect(shape(copy)).toEqual([2, 'COPY', '"a b"', 'c\\ d', '/e']);
  expect(copy.flags).toEqual([{ name: 'from', value: 'build' }, { name: 'link', value: '' }]);
});

test('continued lines are one instruction, without the comments and empty lines among them', () => {
  const [env, next] = parse('ENV A=1 \\', '  # B=2', '', '\tC="3 \\', '4" \\  ', 'D=5', 'RUN true');
  expect(assignmentsOf(env)).toEqual([{ name: 'A', value: '1', line: 1 }, { name: 'C', value: '3 4', line: 4 }, { name: 'D', value: '5', line: 6 }]);
  expect(shape(next)).toEqual([7, 'RUN', 'true']);
});

test('a word may be continued, a doubled escape character continues nothing', () => {
  expect(parse('FR\\', 'OM a\\', 'b', 'RUN c:\\\\', 'CMD d').map(shape)).toEqual([[1, 'FROM', 'ab'], [4, 'RUN', 'c:\\\\'], [5, 'CMD', 'd']]);
});

test('the escape character is a directive at the top, and a comment anywhere else', () => {
  expect(parse('# syntax=docker/dockerfile:1', '# escape=`', 'RUN a `', 'b', 'RUN c\\', 'RUN d').map(shape)).toEqual([[3, 'RUN', 'a', 'b'], [5, 'RUN', 'c\\'], [6, 'RUN', 'd']]);
  expect(parse('# a comment', '# escape=`', 'RUN a `', 'RUN b').map(shape)).toEqual([[3, 'RUN', 'a', '`'], [4, 'RUN', 'b']]);
  expect(parse('', '# escape=`', 'RUN a \\', 'b').map(shape)).toEqual([[3, 'RUN', 'a', 'b']]);
});

test('the JSON form is taken apart, also after flags, and what only looks like it is words', () => {
  expect(parse('CMD ["a b", "c"]', 'COPY --chown=1 ["d e", "/"]', 'RUN [ -f x ] && true', 'RUN ["a", 1]').map(shape))
    .toEqual([[1, 'CMD', 'a b', 'c'], [2, 'COPY', 'd e', '/'], [3, 'RUN', '[', '-f', 'x', ']', '&&', 'true'], [4, 'RUN', '["a",', '1]']]);
});

test('heredocs end where they say, and are no instructions', () => {
  const found = parse('RUN <<ONE cat && cat <<-"TWO"', 'FROM a', 'ONE', '  TWO', '\tTWO', 'ONBUILD COPY <<X /', 'FROM b', 'X', 'ENV A=<<EOF', 'FROM c');
  expect(found.map(shape).map(([line, keyword]) => [line, keyword])).toEqual([[1, 'RUN'], [6, 'ONBUILD'], [9, 'ENV'], [10, 'FROM']]);
  expect(found[0].heredocs).toEqual(['FROM a', '  TWO']);
  expect(found[1].trigger?.heredocs).toEqual(['FROM b']);
});

test('what only looks like a heredoc is none', () => {
  expect(parse('RUN echo $((1<<3)) "<<EOF" <<< x', 'RUN a <<NEVER', 'FROM b').map(({ keyword }) => keyword)).toEqual(['RUN', 'RUN', 'FROM']);
});

test('variables come from the stage, from before the first FROM, and from defaults', () => {
  const { stages } = readDockerfile([
    'ARG BASE=debian', 'ARG TAG', 'FROM ${BASE}:${TAG:-12} AS one', 'ARG BASE', 'ENV PORT=80 OTHER=$PORT', 'EXPOSE $PORT $BASE ${OTHER} ${NO:+1} ${PORT:+2}',
    'FROM one', 'EXPOSE ${PORT}81', 'FROM $BASE', 'EXPOSE $PORT',
  ].join('\n'));
  expect(stages.map(({ image }) => image)).toEqual(['debian:12', 'one', 'debian']);
  expect(stages.map(({ exposed }) => exposed)).toEqual([['80', 'debian', '$PORT', '', '2'], ['8081'], ['$PORT']]);
});

test('BuildKit builds the stages that the last one needs', () => {
  const { stages } = readDockerfile([
    'FROM a AS base', 'FROM b AS unused', 'FROM base AS build', 'FROM c', 'FROM d AS tools', 'FROM e',
    'COPY --from=build /a /a', 'COPY --from=3 /a /a', 'RUN --mount=type=bind,from=tools,target=/t true', 'COPY --from=nginx /a /a',
  ].join('\n'));
  expect(builtStages(stages).map(({ image }) => image)).toEqual(['a', 'base', 'c', 'd', 'e']);
});

const CORPUS = ['ordinary', 'faulty'].flatMap((folder) => {
  const directory = path.join(__dirname, '..', 'corpus', folder);
  return fs.readdirSync(directory).map((file) => fs.readFileSync(path.join(directory, file), 'utf8'));
});

/** All that is ever read of a Dockerfile. */
function everything(text: string) {
  const { exposes, ...facts } = readDockerfile(text);
  return { ...facts, exposes: exposes(9000), secrets: namedSecrets({ exposes, ...facts }), built: builtStages(facts.stages) };
}

test('the ends of lines make no difference', () => {
  CORPUS.forEach((text) => expect(everything(text.replace(/\n/g, '\r\n'))).toEqual(everything(text)));
});

test('comments between lines make no difference but to their numbers', () => {
  const withoutLines = (text: string) => JSON.stringify(everything(text), (key, value) => key === 'line' ? undefined : value);
  const plain = CORPUS.filter((text) => !/<<|^# *escape/m.test(text));
  expect(plain.length).toBeGreaterThan(60);
  plain.forEach((text) => expect(withoutLines(text.replace(/\n/g, '\n  # FROM amd64/debian\n'))).toBe(withoutLines(text)));
});

test('any text is read without an error, in little time', () => {
  const pieces = fc.constantFrom('FROM ', 'ARG ', 'ENV ', 'RUN ', 'COPY ', 'ADD ', 'ONBUILD ', 'EXPOSE ', '--from=', '<<EOF', 'EOF', '\n', '\\\n', '`\n', '# escape=`\n',
    '#', '"', "'", '[', ']', ',', '=', '$', '${', '}', ':-', 'A', ' ', '\t', '\r\n', '\u0000', 'é', 'https://', '.git#', ' AS a', 'a');
  fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.array(pieces, { maxLength: 60 }).map((all) => all.join(''))), (text) => {
    const lines = text.split('\n').length;
    const { instructions } = everything(text);
    instructions.forEach(({ line }) => expect(line).toBeLessThanOrEqual(lines));
    expect(everything(text)).toEqual(everything(text));
  }), { numRuns: 800 });
  const doubling = `ARG A=xx\n${'ARG A=$A$A\n'.repeat(100)}FROM debian:$A`;
  [doubling, 'FROM a\nONBUILD '.repeat(20_000), 'ONBUILD '.repeat(50_000), 'RUN \\\n'.repeat(50_000), `FROM ${'${A:-'.repeat(20_000)}`, 'RUN <<A <<B\n'.repeat(2_000), '"'.repeat(100_000)]
    .forEach((text) => everything(text));
});

import { strToU8 } from 'fflate';
import { assembleContainer } from '../container';

const CONTEXT = { 'app.js': 'app', 'lib/one.js': 'one', 'lib/deep/two.js': 'two', 'package.json': '{}', 'lib/': '' };

function assemble(dockerfile: string) {
  const archive = new Map(Object.entries({ ...CONTEXT, Dockerfile: dockerfile }).map(([path, text]) => [path, strToU8(text)]));
  const { files, environment, command } = assembleContainer(archive);
  return {
    environment,
    command,
    files: [...files.keys()].filter((path) => !path.endsWith('Dockerfile')).sort(),
    read: (path: string) => Buffer.from(files.get(path)!).toString(),
  };
}

test.each<[string, string, string[]]>([
  ['a file to a name', 'COPY app.js /srv/main.js', ['/srv/main.js']],
  ['a file into a folder', 'COPY app.js /srv/', ['/srv/app.js']],
  ['a file into the working directory', 'WORKDIR /srv\nWORKDIR app\nCOPY app.js .', ['/srv/app/app.js']],
  ['a file to a folder that is there', 'COPY lib /srv\nCOPY app.js /srv', ['/srv/app.js', '/srv/deep/two.js', '/srv/one.js']],
  ['what is in a folder, not the folder', 'COPY lib /srv', ['/srv/deep/two.js', '/srv/one.js']],
  ['all there is', 'COPY . /srv', ['/srv/app.js', '/srv/lib/deep/two.js', '/srv/lib/one.js', '/srv/package.json']],
  ['a pattern, which does not cross folders', 'COPY *.js ./', ['/app.js']],
  ['several sources, with options', 'COPY --chown=1:1 --chmod=755 app.js package.json /srv/', ['/srv/app.js', '/srv/package.json']],
  ['the exec form', 'ADD ["app.js", "package.json", "/a folder/"]', ['/a folder/app.js', '/a folder/package.json']],
  ['text', 'COPY <<EOF /srv/hello.txt\nhello\nEOF', ['/srv/hello.txt']],
  ['from another stage', 'COPY lib /built\nFROM base\nCOPY --from=0 /built/deep/two.js /two.js', ['/two.js']],
  ['from a stage with a name', 'FROM base AS Builder\nCOPY lib /built\nFROM base\nCOPY --from=builder /built /srv', ['/srv/deep/two.js', '/srv/one.js']],
  ['from an image nobody here has', 'COPY --from=node:22 /usr/local/bin/node /bin/', []],
  ['onto a stage, which keeps what it has', 'COPY lib /built\nFROM base AS two\nCOPY app.js /\nFROM two\nCOPY package.json /', ['/app.js', '/package.json']],
  ['by a variable', 'ARG FOLDER=/srv\nENV NAME=main.js\nCOPY app.js ${FOLDER}/$NAME', ['/srv/main.js']],
  ['never outside the container', 'COPY app.js ../../../x.js\nCOPY ../lib/one.js /', ['/one.js', '/x.js']],
])('copies %s', (_name, lines, expected) => {
  expect(assemble(`FROM base\n${lines}\n`).files).toEqual(expected);
});

test('what is copied is what is in the archive', () => {
  const { read } = assemble('FROM base\nCOPY lib /srv\nCOPY <<EOF /srv/text\n  two\nlines\nEOF\n');
  expect([read('/srv/deep/two.js'), read('/srv/text')]).toEqual(['two', '  two\nlines\n']);
});

test('variables come in every form of ENV, and later ones see earlier ones', () => {
  const { environment } = assemble('FROM base\nENV A=1 B="two words" C=\'$x\'\nENV OLD the old form\nENV D=${A}${MISSING:-fallback} E=\n');
  expect(environment).toMatchObject({ A: '1', B: 'two words', OLD: 'the old form', D: '1fallback', E: '' });
});

test.each<[string, string, string[]]>([
  ['CMD', 'CMD ["node", "app.js"]', ['node', 'app.js']],
  ['a shell line', 'CMD exec node "my app.js" --flag', ['node', 'my app.js', '--flag']],
  ['the last CMD', 'CMD ["node", "a.js"]\nCMD ["node", "b.js"]', ['node', 'b.js']],
  ['ENTRYPOINT and CMD', 'ENTRYPOINT ["node"]\nCMD ["app.js"]', ['node', 'app.js']],
  ['the CMD of the stage it is built on', 'CMD ["node", "app.js"]\nFROM base AS two\nCMD ["node", "two.js"]\nFROM two', ['node', 'two.js']],
  ['nothing', 'EXPOSE 8080', []],
])('starts %s', (_name, lines, expected) => {
  expect(assemble(`FROM base\n${lines}\n`).command).toEqual(expected);
});

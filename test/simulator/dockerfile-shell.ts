/** What a RUN line prints and how it ends. */
export interface ShellResult { readonly output: string[]; readonly status: number }

/**
 * Plays a RUN line: `echo`, `exit N`, `true` and `false` mean what they say, every other command succeeds in silence.
 * `&&`, `||`, `;` and newlines connect as in a shell.
 */
export function runShell(script: string): ShellResult {
  const output: string[] = [];
  let status = 0;
  for (const { connector, command } of split(script)) {
    if ((connector === '&&' && status !== 0) || (connector === '||' && status === 0)) {
      continue;
    }
    const [name, ...args] = command.split(/\s+/);
    switch (name) {
      case 'exit':
        return { output, status: Number(args[0] ?? status) };
      case 'false':
        status = 1;
        break;
      case 'echo':
        output.push(...echoed(command).split('\n'));
        status = 0;
        break;
      default:
        status = 0;
    }
  }
  return { output, status };
}

function split(script: string): { connector: string; command: string }[] {
  // Quoted text is matched first, so that a connector inside it does not split.
  const parts = script.match(/"(?:\\.|[^"\\])*"|'[^']*'|&&|\|\||;|\n|[^"'&|;\n]+|./gs) ?? [];
  const commands: { connector: string; command: string }[] = [{ connector: ';', command: '' }];
  for (const part of parts) {
    if (['&&', '||', ';', '\n'].includes(part)) {
      commands.push({ connector: part, command: '' });
    } else {
      commands[commands.length - 1].command += part;
    }
  }
  return commands.map(({ connector, command }) => ({ connector, command: command.trim() })).filter(({ command }) => command !== '');
}

function echoed(command: string): string {
  const text = command.slice('echo'.length).replace(/\s+(>&2|1>&2|2>&1)\s*/g, ' ').trim();
  return text.replace(/"((?:\\.|[^"\\])*)"|'([^']*)'/g, (_, double?: string, single?: string) => double ?? single ?? '');
}

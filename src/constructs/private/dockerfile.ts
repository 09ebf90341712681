/** A word of an instruction, with its quotes, and the line it is in. */
export interface Word {
  readonly text: string;
  readonly line: number;
}

/** A flag before the arguments: `--from=build`. */
export interface Flag {
  readonly name: string;
  readonly value: string;
}

/** One instruction: continued lines joined, comments and heredoc bodies taken out. */
export interface Instruction {
  readonly line: number;
  /** In capitals. */
  readonly keyword: string;
  readonly flags: Flag[];
  /** The arguments: those of the JSON form, or words as a shell would split them. */
  readonly words: Word[];
  /** The bodies of heredocs. */
  readonly heredocs: string[];
  /** What ONBUILD holds. */
  readonly trigger?: Instruction;
}

/** A name and a value of ENV, ARG or LABEL. */
export interface Assignment {
  readonly name: string;
  /** Without quotes. Undefined for `ARG name`. */
  readonly value?: string;
  readonly line: number;
}

interface PhysicalLine {
  readonly number: number;
  readonly text: string;
}

const NOT_AN_INSTRUCTION = /^\s*(?:#|$)/;
const WITH_FLAGS = ['FROM', 'RUN', 'COPY', 'ADD', 'HEALTHCHECK'];
const WITH_HEREDOCS = ['RUN', 'COPY', 'ADD'];
const WITH_JSON = ['RUN', 'COPY', 'ADD', 'CMD', 'ENTRYPOINT', 'SHELL', 'VOLUME'];
const HEREDOC = /(?:^|\s)\d*<<(-?)(["']?)([A-Za-z_][\w.-]*)\2(?=$|[\s;|&>)])/g;

/**
 * Reads a Dockerfile as BuildKit does. It takes any text: what is no Dockerfile gives instructions nobody knows.
 *
 * @see https://docs.docker.com/reference/dockerfile/
 */
export function parseDockerfile(text: string): Instruction[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const escape = escapeCharacter(lines);
  // A doubled escape character at the end of a line is the character itself.
  const continues = escape === '`' ? /(?:^|[^`])`[ \t]*$/ : /(?:^|[^\\])\\[ \t]*$/;
  const instructions: Instruction[] = [];
  let next = 0;
  while (next < lines.length) {
    const parts: PhysicalLine[] = [];
    for (let more = true; more && next < lines.length; next++) {
      const line = lines[next];
      // Comments and empty lines between continued ones are skipped, too.
      if (!NOT_AN_INSTRUCTION.test(line)) {
        more = continues.test(line);
        parts.push({ number: next + 1, text: more ? line.trimEnd().slice(0, -1) : line });
      }
    }
    if (parts.length > 0) {
      const heredocs = WITH_HEREDOCS.includes(keywordsOf(parts).pop()!) ? readHeredocs(parts, lines, next) : { bodies: [], next };
      next = heredocs.next;
      instructions.push(instructionOf(parts, heredocs.bodies, escape));
    }
  }
  return instructions;
}

/** The names and values of ENV, ARG or LABEL. */
export function assignmentsOf({ keyword, words }: Instruction): Assignment[] {
  if (keyword === 'ENV' && words.length > 1 && !words[0].text.includes('=')) {
    // The old form of one variable: ENV name the value
    return [{ name: words[0].text, value: unquoted(words.slice(1).map((word) => word.text).join(' ')), line: words[0].line }];
  }
  return words.map(({ text, line }) => {
    const at = text.indexOf('=');
    return at < 0 ? { name: unquoted(text), line } : { name: unquoted(text.slice(0, at)), value: unquoted(text.slice(at + 1)), line };
  });
}

export function unquoted(word: string): string {
  return word.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'/gs, (_whole, double, single) => double ?? single);
}

/** Parser directives are comments at the very top, one a line, before any other comment. */
function escapeCharacter(lines: string[]): string {
  for (const line of lines) {
    const directive = /^\s*#\s*([a-z]+)\s*=\s*(.*?)\s*$/i.exec(line);
    if (!directive) {
      break;
    }
    if (directive[1].toLowerCase() === 'escape' && directive[2] === '`') {
      return '`';
    }
  }
  return '\\';
}

/** The keyword, and the one after ONBUILD. */
function keywordsOf(parts: PhysicalLine[]): string[] {
  const [keyword, second = ''] = parts.map((part) => part.text).join('').trim().split(/\s+/, 2).map((word) => word.toUpperCase());
  return keyword === 'ONBUILD' ? [keyword, second] : [keyword];
}

/** A marker without an end is no heredoc: it stands in quotes, or the build fails anyway. */
function readHeredocs(parts: PhysicalLine[], lines: string[], first: number): { bodies: string[]; next: number } {
  const bodies: string[] = [];
  let next = first;
  for (const [, chomp, , name] of parts.map((part) => part.text).join('').matchAll(HEREDOC)) {
    const end = lines.findIndex((line, index) => index >= next && (chomp ? line.replace(/^\t+/, '') : line) === name);
    if (end >= 0) {
      bodies.push(lines.slice(next, end).join('\n'));
      next = end + 1;
    }
  }
  return { bodies, next };
}

function instructionOf(parts: PhysicalLine[], heredocs: string[], escape: string, isTrigger = false): Instruction {
  const { line, text: keyword, rest } = firstWord(parts);
  const upper = keyword.toUpperCase();
  if (upper === 'ONBUILD' && rest.length > 0 && !isTrigger) {
    return { line, keyword: upper, flags: [], words: [], heredocs, trigger: instructionOf(rest, heredocs, escape, true) };
  }
  const words = jsonWords(upper, rest) ?? splitWords(rest, escape);
  const isFlag = (word: Word) => /^--[a-z][a-z-]*(?:=|$)/i.test(word.text);
  const firstArgument = WITH_FLAGS.includes(upper) ? words.findIndex((word) => !isFlag(word)) : 0;
  const flags = words.slice(0, firstArgument < 0 ? words.length : firstArgument);
  const args = words.slice(flags.length);
  return {
    line,
    keyword: upper,
    flags: flags.map(({ text }) => {
      const [, name, value] = /^--([^=]*)=?(.*)$/s.exec(text)!;
      return { name: name.toLowerCase(), value: unquoted(value) };
    }),
    // The JSON form may follow flags: COPY --from=build ["a b", "/"]
    words: flags.length > 0 ? jsonWords(upper, dropWords(rest, flags)) ?? args : args,
    heredocs,
  };
}

function firstWord(parts: PhysicalLine[]): { line: number; text: string; rest: PhysicalLine[] } {
  // A word may go on in the next line: FR\ and OM are FROM.
  let text = '';
  for (let index = 0; index < parts.length; index++) {
    const [, word, rest] = /^(\S*)(.*)$/s.exec(text === '' ? parts[index].text.trimStart() : parts[index].text)!;
    text += word;
    if (rest !== '' && text !== '') {
      return { line: parts[0].number, text, rest: [{ number: parts[index].number, text: rest }, ...parts.slice(index + 1)] };
    }
  }
  return { line: parts[0].number, text, rest: [] };
}

function jsonWords(keyword: string, parts: PhysicalLine[]): Word[] | undefined {
  const text = parts.map((part) => part.text).join('').trim();
  if (!WITH_JSON.includes(keyword) || !text.startsWith('[')) {
    return undefined;
  }
  try {
    const words: unknown = JSON.parse(text);
    return Array.isArray(words) && words.every((word) => typeof word === 'string')
      ? words.map((word) => ({ text: word, line: parts[0].number }))
      : undefined;
  } catch {
    return undefined;
  }
}

/** What follows the flags, with its lines. */
function dropWords(parts: PhysicalLine[], words: Word[]): PhysicalLine[] {
  let left = words.reduce((count, word) => count + word.text.length, 0);
  return parts.map(({ number, text }) => {
    let at = 0;
    for (; at < text.length && left > 0; at++) {
      left -= /\s/.test(text[at]) ? 0 : 1;
    }
    return { number, text: text.slice(at) };
  });
}

function splitWords(parts: PhysicalLine[], escape: string): Word[] {
  const words: Word[] = [];
  let word = '';
  let line = 0;
  let quote = '';
  const end = () => {
    if (word !== '') {
      words.push({ text: word, line });
      word = '';
    }
  };
  for (const { number, text } of parts) {
    for (let at = 0; at < text.length; at++) {
      const character = text[at];
      if (quote === '' && /\s/.test(character)) {
        end();
        continue;
      }
      line = word === '' ? number : line;
      word += character;
      if (character === escape && quote !== "'" && at + 1 < text.length) {
        word += text[++at];
      } else if (quote === '' && (character === '"' || character === "'")) {
        quote = character;
      } else if (character === quote) {
        quote = '';
      }
    }
  }
  end();
  return words;
}

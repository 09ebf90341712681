/**
 * Reads JSON that a template writes as text. Undefined: it is none.
 *
 * What only a deployment knows may stand there as a number or a whole object, without quotes. It becomes text.
 */
export function parseJson(text: string): unknown {
  return parseStrictJson(text) ?? parseStrictJson(text.replace(/([:[,]\s*)(\$\{[^{}"]*\})(?=\s*[,\]}])/g, '$1"$2"'));
}

/** Reads JSON. Undefined: it is none. */
export function parseStrictJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

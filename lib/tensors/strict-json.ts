/** A JSON value whose objects are maps, so that no name can reach a prototype. */
export type StrictJson =
  | string
  | number
  | boolean
  | null
  | readonly StrictJson[]
  | ReadonlyMap<string, StrictJson>;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\r\n]*/y;
const WORDS = { true: true, false: false, null: null } as const;

/**
 * Parses JSON more strictly than `JSON.parse`: a name twice in one object and nesting above
 * `maxDepth` are errors, and errors name the character.
 *
 * @throws Error `... at character 12 of the header`
 */
export function parseStrictJson(text: string, maxDepth: number): StrictJson {
  let at = 0;

  function fail(what: string): never {
    throw new Error(`${what} at character ${at} of the header`);
  }
  function match(pattern: RegExp): string | undefined {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  }
  const skip = () => void match(SPACE);

  function readString(): string {
    const start = at;
    if (text[at] !== '"') return fail('expected a string');
    // A pattern would recurse over a long string; this does not.
    let end = at + 1;
    while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1;
    if (end >= text.length) return fail('a string without an end');
    try {
      const value = JSON.parse(text.slice(start, end + 1)) as string;
      at = end + 1;
      return value;
    } catch {
      return fail('malformed string');
    }
  }

  /** Items up to `close`, separated by commas; no comma at the end. */
  function readItems(close: string, readItem: () => void): void {
    at++;
    skip();
    if (text[at] === close) {
      at++;
      return;
    }
    for (;;) {
      readItem();
      skip();
      const separator = text[at];
      if (separator !== ',' && separator !== close) {
        fail(separator === undefined ? 'the JSON ends too early' : `expected , or ${close}`);
      }
      at++;
      if (separator === close) return;
      skip();
    }
  }

  function readObject(depth: number): ReadonlyMap<string, StrictJson> {
    const fields = new Map<string, StrictJson>();
    readItems('}', () => {
      const start = at;
      const name = readString();
      if (fields.has(name)) {
        at = start;
        fail(`duplicate name ${JSON.stringify(name)}`);
      }
      skip();
      if (text[at] !== ':') fail('expected :');
      at++;
      skip();
      fields.set(name, readValue(depth + 1));
    });
    return fields;
  }

  function readValue(depth: number): StrictJson {
    const first = text[at];
    if (depth > maxDepth && (first === '{' || first === '[')) {
      fail(`nested deeper than ${maxDepth} levels`);
    }
    if (first === '{') return readObject(depth);
    if (first === '[') {
      const items: StrictJson[] = [];
      readItems(']', () => void items.push(readValue(depth + 1)));
      return items;
    }
    if (first === '"') return readString();
    for (const [word, value] of Object.entries(WORDS)) {
      if (!text.startsWith(word, at)) continue;
      at += word.length;
      return value;
    }
    const number = match(NUMBER);
    if (number !== undefined) return Number(number);
    return fail(first === undefined ? 'the JSON ends too early' : 'expected a value');
  }

  skip();
  const value = readValue(1);
  skip();
  if (at < text.length) fail('text after the JSON');
  return value;
}

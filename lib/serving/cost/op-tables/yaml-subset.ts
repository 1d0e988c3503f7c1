/** What the subset yields: scalars, lists and maps. */
export type YamlValue =
  | string
  | number
  | boolean
  | null
  | YamlValue[]
  | { [key: string]: YamlValue };

interface Line {
  readonly indent: number;
  readonly text: string;
  readonly number: number;
}

function scalar(text: string): YamlValue {
  if (/^'.*'$/.test(text)) return text.slice(1, -1).replaceAll("''", "'");
  if (/^".*"$/.test(text)) return text.slice(1, -1);
  if (/^\[.*\]$/.test(text)) {
    const inner = text.slice(1, -1).trim();
    return inner === '' ? [] : inner.split(',').map((item) => scalar(item.trim()));
  }
  if (text === '' || text === '~' || text === 'null') return null;
  if (text === 'true' || text === 'false') return text === 'true';
  if (/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text)) return Number(text);
  return text;
}

/**
 * The part of YAML that profiler metadata is written in: block maps and lists by indentation,
 * flow lists of scalars, plain and quoted scalars, comments on lines of their own. Continuation
 * lines of plain scalars are joined. Anchors, tags, block scalars and documents are not read.
 *
 * @throws Error naming file and line of what it does not understand
 */
export function parseYamlSubset(file: string, text: string): { [key: string]: YamlValue } {
  const lines = text.split(/\r?\n/).flatMap((raw, i): Line[] => {
    const trimmed = raw.trim();
    if (trimmed === '' || trimmed.startsWith('#') || trimmed === '---') return [];
    if (/^\s*\t/.test(raw)) throw new Error(`${file}: line ${i + 1}: a tab indents the line`);
    return [{ indent: raw.length - raw.trimStart().length, text: trimmed, number: i + 1 }];
  });
  let at = 0;

  function fail(line: Line): never {
    throw new Error(`${file}: line ${line.number}: cannot read ${JSON.stringify(line.text)}`);
  }

  function block(indent: number): YamlValue {
    const first = lines[at] as Line;
    return first.text === '-' || first.text.startsWith('- ') ? list(indent) : map(indent);
  }

  function list(indent: number): YamlValue[] {
    const items: YamlValue[] = [];
    for (let line = lines[at]; line !== undefined && line.indent === indent; line = lines[at]) {
      if (!line.text.startsWith('- ')) break;
      const rest = line.text.slice(2).trim();
      if (/^[^'"[\s][^:]*:(\s|$)/.test(rest)) {
        // The item is a map whose first key stands behind the dash.
        const inner = indent + 2;
        lines[at] = { indent: inner, text: rest, number: line.number };
        items.push(map(inner));
      } else {
        items.push(scalar(rest));
        at++;
      }
    }
    return items;
  }

  function map(indent: number): { [key: string]: YamlValue } {
    const entries: { [key: string]: YamlValue } = {};
    for (let line = lines[at]; line !== undefined && line.indent === indent; line = lines[at]) {
      const match = /^('[^']*'|"[^"]*"|[^:]+):(?:\s+(.*))?$/.exec(line.text);
      if (match === null || line.text.startsWith('- ')) fail(line);
      const key = String(scalar((match[1] as string).trim()));
      const rest = (match[2] ?? '').trim();
      at++;
      const next = lines[at];
      if (rest !== '') {
        let joined = rest;
        for (let more = lines[at]; more !== undefined && more.indent > indent; more = lines[at]) {
          joined += ` ${more.text}`;
          at++;
        }
        entries[key] = scalar(joined);
      } else if (next !== undefined && next.indent > indent) entries[key] = block(next.indent);
      // A list may stand at the indentation of its key.
      else if (next !== undefined && next.indent === indent && next.text.startsWith('- '))
        entries[key] = list(indent);
      else entries[key] = null;
    }
    return entries;
  }

  if (lines.length === 0) return {};
  const root = map((lines[0] as Line).indent);
  const rest = lines[at];
  if (rest !== undefined) fail(rest);
  return root;
}

/** The value at a path of keys, or undefined. */
export function yamlAt(
  value: YamlValue | undefined,
  ...path: readonly string[]
): YamlValue | undefined {
  let here = value;
  for (const key of path) {
    if (typeof here !== 'object' || here === null || Array.isArray(here)) return undefined;
    here = here[key];
  }
  return here;
}

/** The number at a path of keys, or undefined. */
export function yamlNumber(value: YamlValue, ...path: readonly string[]): number | undefined {
  const found = yamlAt(value, ...path);
  return typeof found === 'number' ? found : undefined;
}

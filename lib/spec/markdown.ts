import { minimalCell } from './canonical';
import { formatIssue, type SpecIssue } from './issues';
import { type Cell, NOTEBOOK_FORMAT, type Notebook } from './notebook';
import { parseNotebook } from './validate';

/** An issue with its place in a file. Lines count from 1. */
export interface FileIssue {
  readonly line: number;
  readonly message: string;
}

export type ParsedFile =
  | {
      readonly ok: true;
      readonly notebook: Notebook;
      readonly cellLines: ReadonlyMap<string, number>;
    }
  | { readonly ok: false; readonly issues: readonly FileIssue[] };

const TEXT_MARKER = /^<!-- text #([a-z][a-z0-9-]{0,31}) -->$/;
const FENCE = /^(`{3,})cell +([a-z][a-z-]*) +#(\S+)(?: +<- +(.*?))? *$/;

/**
 * The file form. Front matter holds the version and title; every text cell is a marker comment and
 * its Markdown; every other cell is a fence, `cell KIND #ID <- INPUTS`, with its params as JSON,
 * defaults omitted.
 */
export function printMarkdown(notebook: Notebook): string {
  const parts = [
    `---\nformat: ${NOTEBOOK_FORMAT}\nversion: ${notebook.version}\ntitle: ${JSON.stringify(notebook.title)}\n---\n`,
  ];
  for (const cell of notebook.cells) {
    if (cell.kind === 'text' && cell.inputs.length === 0) {
      parts.push(`\n<!-- text #${cell.id} -->\n${escapeText(cell.params.markdown)}\n`);
    } else {
      const inputs = cell.inputs.length > 0 ? ` <- ${cell.inputs.join(' ')}` : '';
      const body = JSON.stringify(minimalCell(cell).params ?? {}, null, 2);
      // A fence inside a JSON string cannot open a line: line breaks in strings are escaped.
      parts.push(`\n\`\`\`cell ${cell.kind} #${cell.id}${inputs}\n${body}\n\`\`\`\n`);
    }
  }
  return parts.join('');
}

/** Lines of prose that would read as a marker or a cell fence get a backslash in front; so do those that already have some. */
function escapeText(markdown: string): string {
  return (
    markdown
      .replace(/^(\\*)(?=<!-- text #|`{3,}cell\b)/gm, '$1\\')
      // A carriage return would not survive an editor; what already looks like its escape gets one layer more.
      .replace(/&#(?=(?:38;#)*13;)/g, '&#38;#')
      .replaceAll('\r', '&#13;')
  );
}

function unescapeText(markdown: string): string {
  return markdown
    .replace(/^\\(\\*)(?=<!-- text #|`{3,}cell\b)/gm, '$1')
    .replaceAll('&#13;', '\r')
    .replace(/&#38;#(?=(?:38;#)*13;)/g, '&#');
}

interface RawCell {
  readonly line: number;
  readonly id: string;
  readonly kind: string;
  readonly inputs: readonly string[];
  readonly params: unknown;
}

/** Reads the file form; every issue carries the line of the cell (or of the front matter) it is in. */
export function parseMarkdown(text: string): ParsedFile {
  const lines = text
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
    .split('\n');
  const issues: FileIssue[] = [];
  const cells: RawCell[] = [];
  const front = readFrontMatter(lines, issues);
  let at = front.next;
  let prose: { id: string | undefined; line: number; lines: string[] } | undefined;

  function endProse(): void {
    if (prose === undefined) return;
    let body = prose.lines.join('\n');
    if (prose.id === undefined) {
      // Prose by hand, without a marker: an id of its own, blank lines around it dropped.
      body = body.replace(/^\n+|\s+$/g, '');
      if (body !== '')
        cells.push({
          line: prose.line,
          id: freeId(),
          kind: 'text',
          inputs: [],
          params: { markdown: unescapeText(body) },
        });
    } else {
      // The printer ends the text with one line break, and what follows with a blank line or nothing.
      body = body.replace(/\n$/, '');
      cells.push({
        line: prose.line,
        id: prose.id,
        kind: 'text',
        inputs: [],
        params: { markdown: unescapeText(body) },
      });
    }
    prose = undefined;
  }
  function freeId(): string {
    let n = 1;
    while (cells.some((cell) => cell.id === `text-${n}`) || text.includes(`#text-${n} -->`)) n++;
    return `text-${n}`;
  }

  while (at < lines.length) {
    const line = lines[at] as string;
    const marker = TEXT_MARKER.exec(line);
    const fence = FENCE.exec(line);
    if (marker !== null) {
      endProse();
      prose = { id: marker[1], line: at + 1, lines: [] };
      at++;
    } else if (fence !== null) {
      endProse();
      at = readFence(fence, at);
    } else {
      if (/^`{3,}cell\b/.test(line)) {
        issues.push({
          line: at + 1,
          message: `invalid cell fence: ${JSON.stringify(line)} (expected \`\`\`cell KIND #ID <- INPUTS)`,
        });
      }
      prose ??= { id: undefined, line: at + 1, lines: [] };
      prose.lines.push(line);
      at++;
    }
  }
  endProse();

  function readFence(fence: RegExpExecArray, start: number): number {
    const [, ticks = '```', kind = '', id = '', inputs = ''] = fence;
    let end = start + 1;
    while (end < lines.length && lines[end] !== ticks) end++;
    if (end === lines.length)
      issues.push({ line: start + 1, message: `cell "${id}" has no closing ${ticks}` });
    const body = lines.slice(start + 1, end).join('\n');
    let params: unknown = {};
    try {
      params = body.trim() === '' ? {} : JSON.parse(body);
    } catch (error) {
      issues.push({
        line: start + 2 + jsonErrorLine(body),
        message: `cell "${id}" is no JSON: ${(error as Error).message.toLowerCase()}`,
      });
    }
    cells.push({
      line: start + 1,
      id,
      kind,
      inputs: inputs.split(/[ ,]+/).filter((name) => name !== ''),
      params,
    });
    return end + 1;
  }

  if (issues.length > 0) return { ok: false, issues };
  const document = {
    ...front.fields,
    cells: cells.map(({ id, kind, inputs, params }) => ({
      id,
      kind,
      ...(inputs.length > 0 ? { inputs } : {}),
      params,
    })),
  };
  const parsed = parseNotebook(document);
  if (!parsed.ok) {
    return {
      ok: false,
      issues: parsed.issues.map((issue) => ({
        line: lineOf(issue, cells),
        message: formatIssue(issue),
      })),
    };
  }
  return {
    ok: true,
    notebook: parsed.notebook,
    cellLines: new Map(cells.map(({ id, line }) => [id, line])),
  };
}

function lineOf(issue: SpecIssue, cells: readonly RawCell[]): number {
  const index = /^cells\[(\d+)\]/.exec(issue.path)?.[1];
  return index === undefined ? 1 : (cells[Number(index)]?.line ?? 1);
}

/**
 * Zero-based line of the first JSON error. Engines word it differently and some give no position,
 * so the lines are fed one more at a time until the complaint is no longer that the text ends.
 */
function jsonErrorLine(body: string): number {
  const lines = body.split('\n');
  for (let count = 1; count < lines.length; count++) {
    const prefix = lines.slice(0, count).join('\n');
    try {
      JSON.parse(prefix);
    } catch (error) {
      const { message } = error as Error;
      const position = /position (\d+)/.exec(message)?.[1];
      const isCut = /end of|EOF|unterminated/i.test(message) || Number(position) >= prefix.length;
      if (!isCut) return count - 1;
    }
  }
  return lines.length - 1;
}

function readFrontMatter(
  lines: readonly string[],
  issues: FileIssue[],
): { fields: Record<string, unknown>; next: number } {
  if (lines[0] !== '---') return { fields: {}, next: 0 };
  const fields: Record<string, unknown> = {};
  for (let i = 1; i < lines.length; i++) {
    const line = lines[i] as string;
    if (line === '---') {
      // The printer leaves one blank line before the first cell.
      return { fields, next: lines[i + 1] === '' ? i + 2 : i + 1 };
    }
    if (line.trim() === '') continue;
    const field = /^(format|version|title): *(.*)$/s.exec(line);
    if (field === null) {
      issues.push({
        line: i + 1,
        message: `invalid front matter: ${JSON.stringify(line)} (expected format, version or title)`,
      });
      continue;
    }
    const [, name = '', value = ''] = field;
    fields[name] = name === 'version' ? Number(value) : readString(value);
  }
  issues.push({ line: 1, message: 'front matter has no closing ---' });
  return { fields, next: lines.length };
}

function readString(text: string): string {
  if (!text.startsWith('"')) return text.trim();
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : text;
  } catch {
    return text;
  }
}

/** Reads a notebook file, Markdown or JSON, by its content. */
export function parseFile(text: string): ParsedFile {
  if (!/^\uFEFF?\s*\{/.test(text)) {
    return text.trim() === ''
      ? { ok: false, issues: [{ line: 1, message: 'the file is empty' }] }
      : parseMarkdown(text);
  }
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    return {
      ok: false,
      issues: [
        {
          line: 1 + jsonErrorLine(text),
          message: `no JSON: ${(error as Error).message.toLowerCase()}`,
        },
      ],
    };
  }
  const parsed = parseNotebook(value);
  if (parsed.ok)
    return {
      ok: true,
      notebook: parsed.notebook,
      cellLines: new Map(parsed.notebook.cells.map((cell: Cell) => [cell.id, 1])),
    };
  return {
    ok: false,
    issues: parsed.issues.map((issue) => ({ line: 1, message: formatIssue(issue) })),
  };
}

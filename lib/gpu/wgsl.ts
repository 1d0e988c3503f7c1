/** A line of resolved WGSL and where it stands in its file (both counted from 1). */
export interface WgslOrigin {
  readonly file: string;
  readonly line: number;
}

export interface ResolvedWgsl {
  readonly code: string;
  /** Origin of every line of `code`. */
  readonly origins: readonly WgslOrigin[];
}

/** Whole numbers that replace the declared ones: `const ROWS: u32 = 1;` takes `{ ROWS: 4 }`. */
export type WgslConstants = Readonly<Record<string, number>>;

interface Line extends WgslOrigin {
  readonly text: string;
}

/** Files that take the place of included ones: `{ 'a.wgsl': 'b.wgsl' }`. */
export type WgslReplaced = Readonly<Record<string, string>>;

const ENABLE = /^enable \w+;$/;
const INCLUDE = /^\s*\/\/ #include "(.+)"\s*$/;
const FOR = /^\s*\/\/ #for ([a-z]) ([\w$+]+)\s*$/;
const END = /^\s*\/\/ #end\s*$/;
const SLOT = /^(\s*let \w+ = ).*; \/\/ #slot (\w+)$/;
const CONSTANT = /^const (\w+): u32 = (\d+);$/;

function linesOf(
  files: Readonly<Record<string, string>>,
  file: string,
  replaced: WgslReplaced,
  seen: Set<string>,
): Line[] {
  const source = files[file];
  if (source === undefined) throw new Error(`unknown shader file: ${file}`);
  seen.add(file);
  return source.split('\n').flatMap((text, index): Line[] => {
    const named = INCLUDE.exec(text)?.[1];
    if (named === undefined) return [{ text, file, line: index + 1 }];
    const included = replaced[named] ?? named;
    return seen.has(included) ? [] : linesOf(files, included, replaced, seen);
  });
}

/** Replaces declared constants and collects the values of all of them. */
function withConstants(lines: readonly Line[], constants: WgslConstants, file: string) {
  const values = new Map<string, number>();
  const replaced = lines.map((line) => {
    const [, name, digits] = CONSTANT.exec(line.text) ?? [];
    if (name === undefined) return line;
    const value = constants[name] ?? Number(digits);
    values.set(name, value);
    return { ...line, text: `const ${name}: u32 = ${value};` };
  });
  for (const name of Object.keys(constants)) {
    if (!values.has(name)) throw new Error(`unknown constant: ${name} (not declared in ${file})`);
  }
  return { lines: replaced, values };
}

/** Expressions by slot: `let seen = true; // #slot mask1` takes `{ mask1: '(k <= at.q)' }`. */
export type WgslSlots = Readonly<Record<string, string>>;

const withSlots = (lines: readonly Line[], slots: WgslSlots): readonly Line[] =>
  lines.map((line) => {
    const [, head, name] = SLOT.exec(line.text) ?? [];
    const expression = name === undefined ? undefined : slots[name];
    return expression === undefined ? line : { ...line, text: `${head}${expression};` };
  });

/** Repeats `#for` blocks, inner ones after outer ones. */
function unrolled(lines: readonly Line[], values: ReadonlyMap<string, number>): Line[] {
  const result: Line[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    const [, name, bound] = FOR.exec(line.text) ?? [];
    if (name === undefined || bound === undefined) {
      result.push(line);
      continue;
    }
    const end = blockEnd(lines, at);
    const count = values.get(bound) ?? Number(bound);
    if (!Number.isInteger(count))
      throw new Error(`unknown bound: ${bound} at ${line.file}:${line.line}`);
    const body = lines.slice(at + 1, end);
    for (let i = 0; i < count; i++) {
      const copy = body.map((each) => ({
        ...each,
        text: each.text.replaceAll(`$${name}+1`, String(i + 1)).replaceAll(`$${name}`, String(i)),
      }));
      result.push(...unrolled(copy, values));
    }
    at = end;
  }
  return result;
}

function blockEnd(lines: readonly Line[], start: number): number {
  let depth = 0;
  for (let at = start; at < lines.length; at++) {
    const { text } = lines[at]!;
    if (FOR.test(text)) depth++;
    if (END.test(text) && --depth === 0) return at;
  }
  const { file, line } = lines[start]!;
  throw new Error(`#for without #end at ${file}:${line}`);
}

/**
 * Resolves a shader file: `// #include "x.wgsl"` (each file once), declared constants replaced by
 * `constants`, and `// #for x N` ... `// #end` repeated with `$x` = 0 .. N - 1; `$x+1` is the number
 * after it, and both may bound inner loops. Repetition is for register tiles: software adapters do not unroll loops, and an array with a running index falls
 * out of registers. Expressions are set into declared slots. Directives (`enable f16;`) of included
 * files move to the top, where the language wants them.
 */
export function resolveWgsl(
  files: Readonly<Record<string, string>>,
  file: string,
  constants: WgslConstants = {},
  slots: WgslSlots = {},
  replaced: WgslReplaced = {},
): ResolvedWgsl {
  const declared = withConstants(linesOf(files, file, replaced, new Set()), constants, file);
  const body = withSlots(unrolled(declared.lines, declared.values), slots);
  const isEnable = ({ text }: Line) => ENABLE.test(text);
  const lines = [...body.filter(isEnable), ...body.filter((line) => !isEnable(line))];
  return {
    code: lines.map(({ text }) => text).join('\n'),
    origins: lines.map(({ file: from, line }) => ({ file: from, line })),
  };
}

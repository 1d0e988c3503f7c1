import { type Bindings, makeEvaluate, type Point } from '../formula/evaluate';
import { type Box, compileInterval, type IntervalNode, type OnHazard } from '../formula/interval';
import { fromTokens } from '../formula/tokens';
import { type FormulaNode, reads } from '../formula/tree';
import {
  type AttentionParams,
  type AttentionShape,
  type FormulaNumber,
  formulaScope,
} from '../spec/kinds/attention';
import { formulaOf } from './formula-of';
import { makeTable, type ProgramTable, tableBounds, tableReader } from './tables';

/** A variant made ready for one call: which keys a query sees, and what becomes of a score. */
export interface AttentionProgram {
  /** undefined: every key is seen. */
  readonly mask: FormulaNode | undefined;
  /** undefined: scores stay as they are. */
  readonly score: FormulaNode | undefined;
  readonly numbers: readonly FormulaNumber[];
  readonly tables: readonly ProgramTable[];
  /** The mask differs between batch entries, or between heads. */
  readonly maskPerBatch: boolean;
  readonly maskPerHead: boolean;
  /** Element by element: the definition that kernels and block lists are tested against. */
  readonly isVisible: (batch: number, head: number, query: number, key: number) => boolean;
  readonly modify:
    | ((batch: number, head: number, query: number, key: number, score: number) => number)
    | undefined;
}

/** Position of query `index` among the keys: queries are the last `queries` of the `keys` positions. */
export function queryPosition(shape: AttentionShape, index: number): number {
  return shape.keys - shape.queries + index;
}

export function makeProgram(
  params: Pick<AttentionParams, 'shape' | 'variant' | 'seed'>,
): AttentionProgram {
  const { shape } = params;
  const variant = formulaOf(params.variant);
  const tables = variant.tables.map((table) => makeTable(table, params));
  const tree = (part: 'mask' | 'score', type: 'bool' | 'float') => {
    if (variant[part].length === 0) return undefined;
    const built = fromTokens(variant[part], formulaScope(variant, part), type);
    if (!built.ok) throw new Error(`invalid ${part}: ${built.message}`);
    return built.node;
  };
  return assembleProgram(shape, {
    mask: tree('mask', 'bool'),
    score: tree('score', 'float'),
    numbers: variant.numbers,
    tables,
  });
}

/** What the formulas of a program read. */
export function programBindings(
  shape: AttentionShape,
  { numbers, tables }: Pick<AttentionProgram, 'numbers' | 'tables'>,
): Bindings {
  return {
    queries: shape.queries,
    keys: shape.keys,
    heads: shape.queryHeads,
    // Kernels read numbers as f32.
    number: (name) =>
      Math.fround(numbers.find((number) => number.name === name)?.value ?? Number.NaN),
    table: (name) => tableReader(tableNamed(tables, name)),
  };
}

/** A program from its trees, numbers and tables. */
export function assembleProgram(
  shape: AttentionShape,
  parts: Pick<AttentionProgram, 'mask' | 'score' | 'numbers' | 'tables'>,
): AttentionProgram {
  const { mask, score, numbers, tables } = parts;
  const bindings = programBindings(shape, parts);
  const usesTable = (stride: 'batchStride' | 'headStride') =>
    mask !== undefined && tables.some((table) => table[stride] > 0 && readsTable(mask, table.name));
  return {
    mask,
    score,
    numbers,
    tables,
    maskPerBatch: mask !== undefined && (reads(mask, 'b') || usesTable('batchStride')),
    maskPerHead: mask !== undefined && (reads(mask, 'h') || usesTable('headStride')),
    ...elementwise(mask, score, bindings),
  };
}

function elementwise(
  mask: FormulaNode | undefined,
  score: FormulaNode | undefined,
  bindings: Bindings,
): Pick<AttentionProgram, 'isVisible' | 'modify'> {
  const point: Point = { b: 0, h: 0, q: 0, k: 0, score: 0 };
  const first = bindings.keys - bindings.queries;
  const at = (batch: number, head: number, query: number, key: number) => {
    point.b = batch;
    point.h = head;
    point.q = first + query;
    point.k = key;
    return point;
  };
  const visible = mask === undefined ? undefined : makeEvaluate(mask, bindings);
  const modified = score === undefined ? undefined : makeEvaluate(score, bindings);
  return {
    isVisible: visible === undefined ? () => true : (b, h, q, k) => visible(at(b, h, q, k)) !== 0,
    modify:
      modified === undefined
        ? undefined
        : (b, h, q, k, value) => {
            at(b, h, q, k).score = value;
            return modified(point);
          },
  };
}

function tableNamed(tables: readonly ProgramTable[], name: string): ProgramTable {
  const table = tables.find((each) => each.name === name);
  if (table === undefined) throw new Error(`unknown table: ${name}`);
  return table;
}

function readsTable(node: FormulaNode, name: string): boolean {
  if (node.kind === 'table') return node.name === name || readsTable(node.index, name);
  return node.kind === 'call' && node.args.some((arg) => readsTable(arg, name));
}

/** Interval arithmetic over a formula of a program; numbers have their values, or the whole range of their sliders. */
export function programInterval(
  node: FormulaNode,
  program: Pick<AttentionProgram, 'numbers' | 'tables'>,
  shape: AttentionShape,
  options: { readonly wholeSliders?: boolean; readonly onHazard?: OnHazard } = {},
): IntervalNode {
  return compileInterval(
    node,
    {
      queries: shape.queries,
      keys: shape.keys,
      heads: shape.queryHeads,
      number: (name) => {
        const number = program.numbers.find((each) => each.name === name);
        if (number === undefined) throw new Error(`unknown number: ${name}`);
        const value = Math.fround(number.value);
        return options.wholeSliders ? [number.min, number.max] : [value, value];
      },
      table: (name) => tableBounds(tableNamed(program.tables, name)),
    },
    options.onHazard,
  );
}

/** Largest magnitude that checks assume of a scaled score. */
const SCORE_BOUND = 1e4;

/** The box of every point of a call. */
export function wholeBox(shape: AttentionShape, batch = 0): Box {
  return {
    batch,
    headLow: 0,
    headHigh: shape.queryHeads - 1,
    queryLow: queryPosition(shape, 0),
    queryHigh: shape.keys - 1,
    keyLow: 0,
    keyHigh: shape.keys - 1,
    scoreLow: -SCORE_BOUND,
    scoreHigh: SCORE_BOUND,
  };
}

/** A sentence about a part of a formula, to be shown where the part stands. */
export interface FormulaHazard {
  readonly message: string;
  readonly node: FormulaNode;
}

/**
 * What may go wrong in a formula anywhere in the call and for any position of the sliders: divisions
 * by zero, logarithms of nothing, overflow, whole numbers that wrap. Without repeats; of nested parts
 * that all wrap or overflow, the innermost is the cause and the only one told.
 */
export function formulaHazards(
  part: 'mask' | 'score',
  node: FormulaNode,
  program: Pick<AttentionProgram, 'numbers' | 'tables'>,
  shape: AttentionShape,
): readonly FormulaHazard[] {
  const found: FormulaHazard[] = [];
  const interval = programInterval(node, program, shape, {
    wholeSliders: true,
    // Arguments are run before what they are part of.
    onHazard: (message, at) => {
      if (!found.some((each) => each.message === message && contains(at, each.node))) {
        found.push({ message, node: at });
      }
    },
  });
  interval.run(wholeBox(shape));
  if (part === 'score' && found.length === 0 && !(interval.high < 1e30)) {
    found.push({ message: 'may be infinite', node });
  }
  return found;
}

/** Whether a node is a part of another, or the other itself. */
function contains(whole: FormulaNode, part: FormulaNode): boolean {
  if (whole === part) return true;
  if (whole.kind === 'table') return contains(whole.index, part);
  return whole.kind === 'call' && whole.args.some((arg) => contains(arg, part));
}

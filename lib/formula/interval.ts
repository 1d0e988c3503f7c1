import type { FormulaNode, Operation } from './tree';

/** A box of points: every variable between two bounds, both included. */
export interface Box {
  batch: number;
  headLow: number;
  headHigh: number;
  queryLow: number;
  queryHigh: number;
  keyLow: number;
  keyHigh: number;
  scoreLow: number;
  scoreHigh: number;
}

export interface IntervalBindings {
  readonly queries: number;
  readonly keys: number;
  readonly heads: number;
  /** Bounds of a named number: one value for block lists, a slider's whole range for checks. */
  readonly number: (name: string) => readonly [low: number, high: number];
  readonly table: (name: string) => TableBounds;
}

/** Smallest and largest value of a table over indices and heads, into `out`. */
export type TableBounds = (
  low: number,
  high: number,
  box: Box,
  out: { low: number; high: number },
) => void;

/** A compiled formula: after `run`, every value it takes in the box lies in [low, high]. A condition is 0..1. */
export interface IntervalNode {
  low: number;
  high: number;
  readonly run: (box: Box) => void;
}

/** What may go wrong at a node, told once per node while intervals are run. */
export type OnHazard = (message: string, node: FormulaNode) => void;

/**
 * Interval arithmetic over the tree (Moore 1966). It may be wider than the truth, never narrower;
 * so a mask that comes out as 1..1 is true everywhere in the box, and 0..0 nowhere.
 */
export function compileInterval(
  node: FormulaNode,
  bindings: IntervalBindings,
  onHazard?: OnHazard,
): IntervalNode {
  const make = (part: FormulaNode): IntervalNode => {
    switch (part.kind) {
      case 'literal':
        return constant(part.value, part.value);
      case 'number':
        return constant(...bindings.number(part.name));
      case 'variable':
        return variable(part.name, bindings);
      case 'table': {
        const index = make(part.index);
        const bounds = bindings.table(part.name);
        const self = { low: 0, high: 0, run };
        function run(box: Box) {
          index.run(box);
          bounds(index.low, index.high, box, self);
        }
        return self;
      }
      case 'call':
        return call(part, part.args.map(make), onHazard);
    }
  };
  return make(node);
}

const constant = (low: number, high: number): IntervalNode => ({ low, high, run: () => undefined });

function variable(name: string, { queries, keys, heads }: IntervalBindings): IntervalNode {
  const reader = (set: (self: IntervalNode, box: Box) => void): IntervalNode => {
    const self: IntervalNode = { low: 0, high: 0, run: (box) => set(self, box) };
    return self;
  };
  switch (name) {
    case 'b':
      return reader((self, box) => {
        self.low = box.batch;
        self.high = box.batch;
      });
    case 'h':
      return reader((self, box) => {
        self.low = box.headLow;
        self.high = box.headHigh;
      });
    case 'q':
      return reader((self, box) => {
        self.low = box.queryLow;
        self.high = box.queryHigh;
      });
    case 'k':
      return reader((self, box) => {
        self.low = box.keyLow;
        self.high = box.keyHigh;
      });
    case 'score':
      return reader((self, box) => {
        self.low = box.scoreLow;
        self.high = box.scoreHigh;
      });
    case 'queries':
      return constant(queries, queries);
    case 'keys':
      return constant(keys, keys);
    case 'heads':
      return constant(heads, heads);
    default:
      throw new Error(`unknown variable: ${name}`);
  }
}

/** Kernels hold whole numbers in i32; the reference in f64 does not wrap. */
const WRAPS =
  'may pass 2147483647, where whole numbers of kernels wrap around (k / 1 is a real one)';

type Set = (low: number, high: number) => void;

function call(
  node: Extract<FormulaNode, { kind: 'call' }>,
  args: readonly IntervalNode[],
  onHazard: OnHazard | undefined,
): IntervalNode {
  const [a, b, c] = args as [IntervalNode, IntervalNode, IntervalNode];
  const self: IntervalNode = { low: 0, high: 0, run };
  const set: Set = (low, high) => {
    // NaN bounds (such as infinity - infinity) mean that nothing is known.
    self.low = Number.isNaN(low) ? -Infinity : low;
    self.high = Number.isNaN(high) ? Infinity : high;
  };
  const warn = (message: string) => onHazard?.(message, node);
  const apply = rule(node.operation, a, b, c, set, warn);
  const mayWrap = node.type === 'int' && onHazard !== undefined;
  const count = args.length;
  function run(box: Box) {
    a.run(box);
    if (count > 1) b.run(box);
    if (count > 2) c.run(box);
    apply();
    if (mayWrap && (self.low < -(2 ** 31) || self.high >= 2 ** 31)) warn(WRAPS);
  }
  return self;
}

/** Sets the bounds of the result from the bounds of the arguments. */
function rule(
  operation: Operation,
  a: IntervalNode,
  b: IntervalNode,
  c: IntervalNode,
  set: Set,
  warn: (message: string) => void,
): () => void {
  const monotone = (f: (x: number) => number) => () => set(f(a.low), f(a.high));
  const truth = (isAlways: boolean, isNever: boolean) => set(isAlways ? 1 : 0, isNever ? 0 : 1);
  switch (operation) {
    case '+':
      return () => set(a.low + b.low, a.high + b.high);
    case '-':
      return () => set(a.low - b.high, a.high - b.low);
    case '*':
      return () => corners(a, b, (x, y) => (x === 0 || y === 0 ? 0 : x * y), set);
    case '/':
      return () => {
        if (b.low <= 0 && b.high >= 0) {
          warn('may divide by zero');
          set(-Infinity, Infinity);
        } else corners(a, b, (x, y) => x / y, set);
      };
    case 'div':
      return () => {
        if (b.low <= 0 && b.high >= 0) {
          warn('may divide by zero, which gives 0');
          const most = Math.max(Math.abs(a.low), Math.abs(a.high));
          set(-most, most);
        } else corners(a, b, (x, y) => Math.floor(x / y), set);
      };
    case 'mod':
      return () => {
        if (b.low <= 0) {
          if (b.high >= 0) warn('may take a remainder by zero, which gives 0');
          set(Math.min(0, b.low), Math.max(0, b.high));
        } else if (b.low === b.high && Math.floor(a.low / b.low) === Math.floor(a.high / b.low)) {
          const base = b.low * Math.floor(a.low / b.low);
          set(a.low - base, a.high - base);
        } else set(0, b.high);
      };
    case 'neg':
      return () => set(-a.high, -a.low);
    case 'min':
      return () => set(Math.min(a.low, b.low), Math.min(a.high, b.high));
    case 'max':
      return () => set(Math.max(a.low, b.low), Math.max(a.high, b.high));
    case 'abs':
      return () =>
        set(
          a.low > 0 ? a.low : a.high < 0 ? -a.high : 0,
          Math.max(Math.abs(a.low), Math.abs(a.high)),
        );
    case 'floor':
      return monotone(Math.floor);
    case 'exp':
      return () => {
        if (a.high > 88.7) warn('exp of more than 88.7 overflows to infinity');
        set(Math.exp(a.low), Math.exp(a.high));
      };
    case 'exp2':
      return () => {
        if (a.high >= 128) warn('exp2 of 128 or more overflows to infinity');
        set(2 ** a.low, 2 ** a.high);
      };
    case 'log':
    case 'log2': {
      const log = operation === 'log' ? Math.log : Math.log2;
      return () => {
        if (a.low <= 0) warn(`${operation} of a value that may be 0 or below`);
        set(a.low <= 0 ? -Infinity : log(a.low), a.high <= 0 ? Infinity : log(a.high));
      };
    }
    case 'sqrt':
      return () => {
        if (a.low < 0) warn('sqrt of a value that may be below 0');
        set(Math.sqrt(Math.max(0, a.low)), a.high < 0 ? Infinity : Math.sqrt(a.high));
      };
    case 'tanh':
      return monotone(Math.tanh);
    case '<':
      return () => truth(a.high < b.low, a.low >= b.high);
    case '<=':
      return () => truth(a.high <= b.low, a.low > b.high);
    case '>':
      return () => truth(a.low > b.high, a.high <= b.low);
    case '>=':
      return () => truth(a.low >= b.high, a.high < b.low);
    case '==':
      return () =>
        truth(
          a.low === a.high && b.low === b.high && a.low === b.low,
          a.high < b.low || a.low > b.high,
        );
    case '!=':
      return () =>
        truth(
          a.high < b.low || a.low > b.high,
          a.low === a.high && b.low === b.high && a.low === b.low,
        );
    case 'and':
      return () => set(Math.min(a.low, b.low), Math.min(a.high, b.high));
    case 'or':
      return () => set(Math.max(a.low, b.low), Math.max(a.high, b.high));
    case 'not':
      return () => set(1 - a.high, 1 - a.low);
    case 'select':
      return () => {
        if (a.low === 1) set(b.low, b.high);
        else if (a.high === 0) set(c.low, c.high);
        else set(Math.min(b.low, c.low), Math.max(b.high, c.high));
      };
  }
}

/** Bounds of a function that is monotone in each argument: they lie at the corners. */
function corners(
  a: IntervalNode,
  b: IntervalNode,
  f: (x: number, y: number) => number,
  set: Set,
): void {
  const w = f(a.low, b.low);
  const x = f(a.low, b.high);
  const y = f(a.high, b.low);
  const z = f(a.high, b.high);
  set(Math.min(w, x, y, z), Math.max(w, x, y, z));
}

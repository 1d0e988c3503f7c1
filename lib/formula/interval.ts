import { LARGEST_WHOLE, SMALLEST_WHOLE } from './evaluate';
import { intervalRule } from './interval-rules';
import type { FormulaNode } from './tree';

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

/** A value as `IntervalNode.members`. */
export const memberOf = (value: number): number =>
  Number.isInteger(value) && value >= 0 && value < 32 ? 1 << value : 0;

/** Smallest and largest value of a table over indices and heads, and the small ones, into `out`. */
export type TableBounds = (
  low: number,
  high: number,
  box: Box,
  out: { low: number; high: number; members: number },
) => void;

/** A compiled formula: after `run`, every value it takes in the box lies in [low, high]. A condition is 0..1. */
export interface IntervalNode {
  low: number;
  high: number;
  /**
   * Where all values are whole numbers of 0..31: bit v is set where v may be among them. Else 0. Tags
   * and remainders have holes that an interval cannot tell.
   */
  members: number;
  /** Some value in the box may be NaN, which lies in no interval. */
  mayBeNaN: boolean;
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
        const isWhole = part.type === 'int';
        const self: IntervalNode = { low: 0, high: 0, members: 0, mayBeNaN: false, run };
        function run(box: Box) {
          index.run(box);
          bounds(index.low, index.high, box, self);
          if (isWhole) holdWhole(self, true, () => undefined);
        }
        return self;
      }
      case 'call':
        return call(part, part.args.map(make), onHazard);
    }
  };
  return make(node);
}

const constant = (low: number, high: number): IntervalNode => ({
  low,
  high,
  members: low === high ? memberOf(low) : 0,
  mayBeNaN: false,
  run: () => undefined,
});

function variable(name: string, { queries, keys, heads }: IntervalBindings): IntervalNode {
  const reader = (set: (self: IntervalNode, box: Box) => void): IntervalNode => {
    const self: IntervalNode = {
      low: 0,
      high: 0,
      members: 0,
      mayBeNaN: false,
      run: (box) => set(self, box),
    };
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

const WRAPS = 'may pass 2147483647, where whole numbers wrap around (k / 1 is a real one)';
const ENDS = 'may pass 2147483647, where whole numbers end';

function call(
  node: Extract<FormulaNode, { kind: 'call' }>,
  args: readonly IntervalNode[],
  onHazard: OnHazard | undefined,
): IntervalNode {
  const self: IntervalNode = { low: 0, high: 0, members: 0, mayBeNaN: false, run };
  const warn = (message: string) => onHazard?.(message, node);
  const apply = intervalRule(node, args, self, warn);
  const isWhole = node.type === 'int';
  const isMadeWhole = node.operation === 'floor';
  function run(box: Box) {
    for (const arg of args) arg.run(box);
    apply();
    if (isWhole) holdWhole(self, isMadeWhole, warn);
  }
  return self;
}

/** Whole numbers have 32 bits: what is made whole stays at their ends, arithmetic wraps around. */
function holdWhole(
  self: IntervalNode,
  isMadeWhole: boolean,
  warn: (message: string) => void,
): void {
  if (self.low >= SMALLEST_WHOLE && self.high < -SMALLEST_WHOLE) return;
  if (isMadeWhole) {
    warn(ENDS);
    self.low = Math.min(LARGEST_WHOLE, Math.max(SMALLEST_WHOLE, self.low));
    self.high = Math.max(SMALLEST_WHOLE, Math.min(LARGEST_WHOLE, self.high));
  } else {
    warn(WRAPS);
    self.members = 0;
    self.low = SMALLEST_WHOLE;
    self.high = -SMALLEST_WHOLE - 1;
  }
}

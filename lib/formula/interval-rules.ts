import { floorModulo } from './evaluate';
import type { IntervalNode } from './interval';
import type { FormulaNode } from './tree';

type Set = (low: number, high: number) => void;

const isUnbounded = ({ low, high }: IntervalNode) => low === -Infinity || high === Infinity;
const holdsZero = ({ low, high }: IntervalNode) => low <= 0 && high >= 0;

/** Sets the bounds of the result from the bounds of the arguments. */
export function intervalRule(
  { operation, type }: Extract<FormulaNode, { kind: 'call' }>,
  args: readonly IntervalNode[],
  self: IntervalNode,
  warn: (message: string) => void,
): () => void {
  const [a, b, c] = args as [IntervalNode, IntervalNode, IntervalNode];
  const set: Set = (low, high) => {
    // NaN bounds (such as infinity - infinity) mean that nothing is known.
    self.low = Number.isNaN(low) ? -Infinity : low;
    self.high = Number.isNaN(high) ? Infinity : high;
    self.members = 0;
    self.mayBeNaN = type === 'float' && args.some(({ mayBeNaN }) => mayBeNaN);
  };
  const monotone = (f: (x: number) => number) => () => set(f(a.low), f(a.high));
  const truth = (isAlways: boolean, isNever: boolean) => set(isAlways ? 1 : 0, isNever ? 0 : 1);
  /** Of what is false for NaN. */
  const order = (isAlways: boolean, isNever: boolean) =>
    truth(isAlways && !a.mayBeNaN && !b.mayBeNaN, isNever);
  const areEqual = () => a.low === a.high && b.low === b.high && a.low === b.low;
  const areApart = () =>
    a.high < b.low ||
    a.low > b.high ||
    (a.members !== 0 && b.members !== 0 && (a.members & b.members) === 0);
  const orNaN = (mayBe: boolean) => {
    if (mayBe) self.mayBeNaN = true;
  };
  switch (operation) {
    case '+':
      return () => {
        set(a.low + b.low, a.high + b.high);
        orNaN(
          (a.low === -Infinity && b.high === Infinity) ||
            (a.high === Infinity && b.low === -Infinity),
        );
      };
    case '-':
      return () => {
        set(a.low - b.high, a.high - b.low);
        orNaN(
          (a.low === -Infinity && b.low === -Infinity) ||
            (a.high === Infinity && b.high === Infinity),
        );
      };
    case '*':
      return () => {
        corners(a, b, (x, y) => (x === 0 || y === 0 ? 0 : x * y), set);
        orNaN((holdsZero(a) && isUnbounded(b)) || (holdsZero(b) && isUnbounded(a)));
      };
    case '/':
      return () => {
        if (holdsZero(b)) {
          warn('may divide by zero');
          set(-Infinity, Infinity);
          orNaN(holdsZero(a));
        } else corners(a, b, (x, y) => x / y, set);
        orNaN(isUnbounded(a) && isUnbounded(b));
      };
    case 'div':
      return () => {
        if (holdsZero(b)) {
          warn('may divide by zero, which gives 0');
          const most = Math.max(Math.abs(a.low), Math.abs(a.high));
          set(-most, most);
        } else corners(a, b, (x, y) => Math.floor(x / y), set);
      };
    case 'mod': {
      /** Greatest remainder by a positive divisor. */
      const below = (divisor: number) => (type === 'int' ? divisor - 1 : divisor);
      return () => {
        if (b.low <= 0) {
          if (b.high >= 0) warn('may take a remainder by zero, which gives 0');
          set(Math.min(0, b.low), Math.max(0, b.high));
        } else if (b.low === b.high && Math.floor(a.low / b.low) === Math.floor(a.high / b.low)) {
          const base = b.low * Math.floor(a.low / b.low);
          set(a.low - base, a.high - base);
        } else set(0, a.low >= 0 ? Math.min(a.high, below(b.high)) : below(b.high));
        if (type === 'int' && b.low === b.high) self.members = remainders(a, b.low);
        orNaN(type === 'float' && (isUnbounded(a) || isUnbounded(b)));
      };
    }
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
      // NaN made whole is 0.
      return () =>
        a.mayBeNaN
          ? set(Math.min(0, Math.floor(a.low)), Math.max(0, Math.floor(a.high)))
          : set(Math.floor(a.low), Math.floor(a.high));
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
        set(a.low <= 0 ? -Infinity : log(a.low), a.high < 0 ? Infinity : log(a.high));
        orNaN(a.low < 0);
      };
    }
    case 'sqrt':
      return () => {
        if (a.low < 0) warn('sqrt of a value that may be below 0');
        set(Math.sqrt(Math.max(0, a.low)), a.high < 0 ? Infinity : Math.sqrt(a.high));
        orNaN(a.low < 0);
      };
    case 'tanh':
      return monotone(Math.tanh);
    case '<':
      return () => order(a.high < b.low, a.low >= b.high);
    case '<=':
      return () => order(a.high <= b.low, a.low > b.high);
    case '>':
      return () => order(a.low > b.high, a.high <= b.low);
    case '>=':
      return () => order(a.low >= b.high, a.high < b.low);
    case '==':
      return () => order(areEqual(), areApart());
    case '!=':
      return () => truth(areApart(), areEqual() && !a.mayBeNaN && !b.mayBeNaN);
    case 'and':
      return () => set(Math.min(a.low, b.low), Math.min(a.high, b.high));
    case 'or':
      return () => set(Math.max(a.low, b.low), Math.max(a.high, b.high));
    case 'not':
      return () => set(1 - a.high, 1 - a.low);
    case 'select':
      return () => {
        const isOne = a.low === 1 ? b : a.high === 0 ? c : undefined;
        if (isOne === undefined) {
          set(Math.min(b.low, c.low), Math.max(b.high, c.high));
          if (b.members !== 0 && c.members !== 0) self.members = b.members | c.members;
        } else {
          set(isOne.low, isOne.high);
          self.members = isOne.members;
          self.mayBeNaN = isOne.mayBeNaN;
        }
      };
  }
}

/** Remainders of a range of whole numbers, as `IntervalNode.members`. */
function remainders({ low, high }: IntervalNode, divisor: number): number {
  if (divisor < 1 || divisor > 32) return 0;
  let members = 0;
  for (let i = 0; i < divisor && low + i <= high; i++) {
    members |= 1 << floorModulo(low + i, divisor);
  }
  return members;
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

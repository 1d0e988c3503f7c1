import type { FormulaNode, Operation } from './tree';

/** Where a formula is read, and what it reads there. */
export interface Point {
  b: number;
  h: number;
  /** Position of the query among the keys. */
  q: number;
  k: number;
  /** Scaled dot product; only score formulas read it. */
  score: number;
}

export interface Bindings {
  readonly queries: number;
  readonly keys: number;
  readonly heads: number;
  readonly number: (name: string) => number;
  readonly table: (name: string) => TableReader;
}

/** Value at an index; an index beyond the ends reads the end. */
export type TableReader = (index: number, batch: number, head: number) => number;

/** Value at a point; conditions are 0 or 1. */
export type Evaluate = (point: Point) => number;

/** Largest f32 that an i32 holds: what kernels make of greater numbers. */
export const LARGEST_WHOLE = 2 ** 31 - 128;
export const SMALLEST_WHOLE = -(2 ** 31);

/** A number made whole, as in the kernels: rounded down, held within i32; NaN gives 0. */
export const toWhole = (x: number) =>
  Number.isNaN(x) ? 0 : Math.min(LARGEST_WHOLE, Math.max(SMALLEST_WHOLE, Math.floor(x)));

/** Floor division and its remainder, as in the kernels; by zero they give 0. */
export const floorDivide = (a: number, b: number) => (b === 0 ? 0 : Math.floor(a / b));
export const floorModulo = (a: number, b: number) => (b === 0 ? 0 : a - b * Math.floor(a / b));

/**
 * The formula as a function of a point: the definition that kernels are tested against. Real numbers
 * are f64; whole ones wrap around in 32 bits as those of kernels do.
 */
export function makeEvaluate(node: FormulaNode, bindings: Bindings): Evaluate {
  const compile = (part: FormulaNode): Evaluate => {
    switch (part.kind) {
      case 'literal': {
        const { value } = part;
        return () => value;
      }
      case 'variable':
        return compileVariable(part.name, bindings);
      case 'number': {
        const value = bindings.number(part.name);
        return () => value;
      }
      case 'table': {
        const index = compile(part.index);
        const read = bindings.table(part.name);
        return part.type === 'int'
          ? (point) => toWhole(read(index(point), point.b, point.h))
          : (point) => read(index(point), point.b, point.h);
      }
      case 'call': {
        const [a, b, c] = part.args.map(compile) as [Evaluate, Evaluate, Evaluate];
        const whole = part.type === 'int' ? wholeOperation(part.operation, a, b) : undefined;
        if (whole !== undefined) return whole;
        switch (part.operation) {
          case '+':
            return (p) => a(p) + b(p);
          case '-':
            return (p) => a(p) - b(p);
          case '*':
            return (p) => a(p) * b(p);
          case '/':
            return (p) => a(p) / b(p);
          case 'neg':
            return (p) => -a(p);
          case 'div':
            return (p) => floorDivide(a(p), b(p)) | 0;
          case 'mod':
            return (p) => floorModulo(a(p), b(p));
          case 'min':
            return (p) => Math.min(a(p), b(p));
          case 'max':
            return (p) => Math.max(a(p), b(p));
          case 'abs':
            return (p) => Math.abs(a(p));
          case 'floor':
            return (p) => toWhole(a(p));
          case 'exp':
            return (p) => Math.exp(a(p));
          case 'exp2':
            return (p) => 2 ** a(p);
          case 'log':
            return (p) => Math.log(a(p));
          case 'log2':
            return (p) => Math.log2(a(p));
          case 'sqrt':
            return (p) => Math.sqrt(a(p));
          case 'tanh':
            return (p) => Math.tanh(a(p));
          case '<':
            return (p) => (a(p) < b(p) ? 1 : 0);
          case '<=':
            return (p) => (a(p) <= b(p) ? 1 : 0);
          case '>':
            return (p) => (a(p) > b(p) ? 1 : 0);
          case '>=':
            return (p) => (a(p) >= b(p) ? 1 : 0);
          case '==':
            return (p) => (a(p) === b(p) ? 1 : 0);
          case '!=':
            return (p) => (a(p) !== b(p) ? 1 : 0);
          case 'and':
            return (p) => (a(p) !== 0 && b(p) !== 0 ? 1 : 0);
          case 'or':
            return (p) => (a(p) !== 0 || b(p) !== 0 ? 1 : 0);
          case 'not':
            return (p) => (a(p) === 0 ? 1 : 0);
          case 'select':
            return (p) => (a(p) !== 0 ? b(p) : c(p));
        }
      }
    }
  };
  return compile(node);
}

/** Arithmetic of whole numbers that may leave 32 bits: it wraps around. */
function wholeOperation(operation: Operation, a: Evaluate, b: Evaluate): Evaluate | undefined {
  switch (operation) {
    case '+':
      return (p) => (a(p) + b(p)) | 0;
    case '-':
      return (p) => (a(p) - b(p)) | 0;
    case '*':
      return (p) => Math.imul(a(p), b(p));
    case 'neg':
      return (p) => -a(p) | 0;
    case 'abs':
      return (p) => Math.abs(a(p)) | 0;
    default:
      return undefined;
  }
}

function compileVariable(name: string, { queries, keys, heads }: Bindings): Evaluate {
  switch (name) {
    case 'b':
      return (p) => p.b;
    case 'h':
      return (p) => p.h;
    case 'q':
      return (p) => p.q;
    case 'k':
      return (p) => p.k;
    case 'score':
      return (p) => p.score;
    case 'queries':
      return () => queries;
    case 'keys':
      return () => keys;
    case 'heads':
      return () => heads;
    default:
      throw new Error(`unknown variable: ${name}`);
  }
}

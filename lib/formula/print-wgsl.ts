import { makeEvaluate } from './evaluate';
import { type FormulaNode, type Operation, powerOfTwo } from './tree';

/** What a kernel calls the things that formulas name. */
export interface WgslNames {
  /** An expression of type i32 or f32 (or vectors of them) per variable. */
  readonly variable: (name: string) => string;
  /** A scalar expression, i32 or f32 by its type. */
  readonly number: (name: string, type: 'int' | 'float') => string;
  /** A call that reads a table at a scalar i32 index; f32. */
  readonly table: (name: string, index: string) => string;
}

/**
 * The formula as a WGSL expression over `lanes` points at once: 1 gives scalars, 4 gives vec4.
 * Every leaf is spread to the width, so that all operators are between equal types. Only names that
 * `names` hands out and numbers reach the text: nothing of a document does.
 */
export function printWgsl(
  node: FormulaNode,
  names: WgslNames,
  lanes: 1 | 4,
  type: 'bool' | 'float',
): string {
  const width = (type: 'i32' | 'f32') => (lanes === 1 ? type : `vec4<${type}>`);
  const print = (part: FormulaNode): string =>
    (part.kind === 'call' && constantText(part)) || printPart(part);
  const printPart = (part: FormulaNode): string => {
    switch (part.kind) {
      case 'literal':
        return part.type === 'int'
          ? `${width('i32')}(${part.value})`
          : `${width('f32')}(${floatLiteral(part.value)})`;
      case 'variable':
        return `${width(part.type === 'float' ? 'f32' : 'i32')}(${names.variable(part.name)})`;
      case 'number':
        return `${width(part.type === 'int' ? 'i32' : 'f32')}(${names.number(part.name, part.type)})`;
      case 'table':
        return printTable(part);
      case 'call':
        return printCall(part);
    }
  };
  const asFloat = (part: FormulaNode) =>
    part.type === 'int' ? `${width('f32')}(${print(part)})` : print(part);
  const asType = (part: FormulaNode, type: FormulaNode['type']) =>
    type === 'float' ? asFloat(part) : print(part);

  /**
   * A call of literals alone, done here: an overflow or NaN that a WGSL compiler finds in a constant
   * expression is an error, where at run time it is a number.
   */
  function constantText(part: FormulaNode): string | undefined {
    const value = constantOf(part);
    if (value === undefined) return undefined;
    if (!Number.isFinite(Math.fround(value))) {
      const above = Number.isNaN(value) ? '0.0' : value > 0 ? '1.0' : '-1.0';
      return `quotient${lanes}(${width('f32')}(${above}), ${width('f32')}(0.0))`;
    }
    switch (part.type) {
      case 'bool':
        return lanes === 1 ? `${value !== 0}` : `vec4<bool>(${value !== 0})`;
      case 'int':
        return `${width('i32')}(${value})`;
      case 'float':
        return `${width('f32')}(${floatLiteral(value)})`;
    }
  }

  function printTable(part: Extract<FormulaNode, { kind: 'table' }>): string {
    const index = print(part.index);
    const read =
      lanes === 1
        ? names.table(part.name, index)
        : `vec4f(${[0, 1, 2, 3].map((i) => names.table(part.name, `(${index})[${i}]`)).join(', ')})`;
    return part.type === 'int' ? `${width('i32')}(${read})` : read;
  }

  function printCall({ operation, args, type }: Extract<FormulaNode, { kind: 'call' }>): string {
    const [a, b, c] = args as [FormulaNode, FormulaNode, FormulaNode];
    const common = args.some((arg) => arg.type === 'float') ? 'float' : 'int';
    const infix = (symbol: string, as: FormulaNode['type']) =>
      `(${asType(a, as)} ${symbol} ${asType(b, as)})`;
    switch (operation) {
      case '+':
      case '-':
      case '*':
        return infix(operation, type);
      case '/':
        return infix('/', 'float');
      case '<':
      case '<=':
      case '>':
      case '>=':
      case '==':
        return infix(operation, common);
      case '!=':
        // NaN differs from everything; compilers to SPIR-V turn != into a test that is false of it.
        return common === 'float' ? `(!${infix('==', common)})` : infix(operation, common);
      // No short-circuit operators: see mask.wgsl.
      case 'and':
        return `(${print(a)} & ${print(b)})`;
      case 'or':
        return `(${print(a)} | ${print(b)})`;
      case 'not':
        return `(!${print(a)})`;
      case 'select':
        return `select(${asType(c, type)}, ${asType(b, type)}, ${print(a)})`;
      case 'neg':
        return `(-${print(a)})`;
      case 'div': {
        const exponent = powerOfTwo(b);
        return exponent === undefined
          ? `floorDivide${lanes}(${print(a)}, ${print(b)})`
          : `(${print(a)} >> ${lanes === 1 ? 'u32' : 'vec4<u32>'}(${exponent}u))`;
      }
      case 'mod': {
        const exponent = powerOfTwo(b);
        if (type !== 'int') return `floorModuloF${lanes}(${asFloat(a)}, ${asFloat(b)})`;
        return exponent === undefined
          ? `floorModulo${lanes}(${print(a)}, ${print(b)})`
          : `(${print(a)} & ${width('i32')}(${2 ** exponent - 1}))`;
      }
      case 'min':
      case 'max':
        return `${operation}(${asType(a, type)}, ${asType(b, type)})`;
      case 'abs':
        return `abs(${print(a)})`;
      case 'floor':
        return `${width('i32')}(floor(${print(a)}))`;
      case 'tanh':
        // The builtin may overflow inside for large arguments; beyond 15 the result is 1 in f32.
        return `tanh(clamp(${asFloat(a)}, ${width('f32')}(-15.0), ${width('f32')}(15.0)))`;
      default:
        return `${operation satisfies Operation}(${asFloat(a)})`;
    }
  }
  return asType(node, type);
}

/** The value of a formula that reads nothing, or undefined. */
function constantOf(node: FormulaNode): number | undefined {
  const isConstant = (part: FormulaNode): boolean =>
    part.kind === 'literal' || (part.kind === 'call' && part.args.every(isConstant));
  return isConstant(node) ? makeEvaluate(node, NOTHING)(ORIGIN) : undefined;
}

const ORIGIN = { b: 0, h: 0, q: 0, k: 0, score: 0 };
const NOTHING = {
  queries: 0,
  keys: 0,
  heads: 0,
  number: () => Number.NaN,
  table: () => () => Number.NaN,
};

/** An f32 literal; whole ones need their point. */
export function floatLiteral(value: number): string {
  const text = String(Math.fround(value)).replace('e+', 'e');
  return /[.e]/.test(text) ? text : `${text}.0`;
}

import { type Bindings, makeEvaluate, type Point } from './evaluate';
import { printFormula } from './print-text';
import type { FormulaNode } from './tree';

/** A formula at one point. */
export interface Explanation {
  /** As it is written: `q - k < window`. */
  readonly text: string;
  /** With the values of what it reads in their places: `812 - 790 < 256`. */
  readonly substituted: string;
  /** Conditions are 0 or 1. */
  readonly value: number;
  readonly isCondition: boolean;
  /** What it reads, each once: `q` 812, `document(k)` 3. */
  readonly reads: readonly { readonly name: string; readonly value: number }[];
  /** Of a condition: the parts that `&&`, `||` and `!` join, each explained; none where it is one itself. */
  readonly terms: readonly Explanation[];
}

const JOINING = new Set(['and', 'or', 'not']);

/** Says what a formula is at a point, from the tree alone and with the evaluation of `makeEvaluate`. */
export function explain(node: FormulaNode, bindings: Bindings, point: Point): Explanation {
  const evaluate = (part: FormulaNode) => makeEvaluate(part, bindings)(point);
  const reads = new Map<string, number>();
  const substitute = (part: FormulaNode): FormulaNode => {
    switch (part.kind) {
      case 'literal':
        return part;
      case 'call':
        return { ...part, args: part.args.map(substitute) };
      case 'variable':
      case 'number':
      case 'table': {
        // What a table is read at is told too: `document(q)` leaves q unsaid.
        if (part.kind === 'table') substitute(part.index);
        const value = evaluate(part);
        reads.set(printFormula(part), value);
        return {
          kind: 'literal',
          value: rounded(value),
          type: part.type === 'int' ? 'int' : 'float',
        };
      }
    }
  };
  const substituted = printFormula(substitute(node));
  const isJoined = node.kind === 'call' && JOINING.has(node.operation);
  return {
    text: printFormula(node),
    substituted,
    value: evaluate(node),
    isCondition: node.type === 'bool',
    reads: [...reads].map(([name, value]) => ({ name, value })),
    terms: isJoined ? termsOf(node).map((term) => explain(term, bindings, point)) : [],
  };
}

/** The parts of a condition that hold no `&&`, `||` or `!` on top, from left to right. */
function termsOf(node: FormulaNode): readonly FormulaNode[] {
  return node.kind === 'call' && JOINING.has(node.operation) ? node.args.flatMap(termsOf) : [node];
}

/** Values as people read them: the evaluation itself is not rounded. */
const rounded = (value: number) => (Number.isInteger(value) ? value : Number(value.toPrecision(4)));

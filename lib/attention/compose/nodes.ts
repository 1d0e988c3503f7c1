import { parseFormula } from '../../formula/parse';
import { type FormulaNode, MASK_VARIABLES, makeCall, makeLiteral } from '../../formula/tree';
import type { FormulaNumber } from '../../spec/kinds/attention';

const must = (node: FormulaNode | string): FormulaNode => {
  if (typeof node === 'string') throw new Error(node);
  return node;
};

export const call = (
  operation: Parameters<typeof makeCall>[0],
  ...args: FormulaNode[]
): FormulaNode => must(makeCall(operation, args));

export const int = (value: number): FormulaNode => must(makeLiteral(value));

export const variable = (name: string, type: 'int' | 'float' = 'int'): FormulaNode => ({
  kind: 'variable',
  name,
  type,
});

export const table = (name: string, index: FormulaNode, type: 'int' | 'float'): FormulaNode => ({
  kind: 'table',
  name,
  index,
  type,
});

/** Numbers that a kernel's parameters have places for. */
const MAX_NUMBERS = 8;

/** A mask and the whole numbers that it names. */
export interface NumberedMask {
  readonly mask: FormulaNode | undefined;
  readonly numbers: readonly FormulaNumber[];
}

/**
 * A mask from its text, for text of this code, so that a mistake throws. Its numbers are named `$name`,
 * as no number of a document is.
 */
export function numberedMask(
  text: string,
  values: Readonly<Record<string, number>> = {},
): NumberedMask & { readonly mask: FormulaNode } {
  const names = Object.keys(values);
  const numbers = Object.fromEntries(names.map((name) => [name, 'int' as const]));
  const parsed = parseFormula(text, { variables: MASK_VARIABLES, numbers, tables: {} }, 'bool');
  if (!parsed.ok) throw new Error(parsed.message);
  return {
    mask: rewrite(parsed.node, (node) =>
      node.kind === 'number' ? { ...node, name: `$${node.name}` } : undefined,
    ),
    numbers: Object.entries(values).map(([name, value]) => ({
      name: `$${name}`,
      value,
      min: value,
      max: value,
      step: 1,
    })),
  };
}

/** A mask without numbers. */
export function maskNode(text: string): FormulaNode {
  return numberedMask(text).mask;
}

/** The formula with its numbers written out. */
export function withLiterals(node: FormulaNode, numbers: readonly FormulaNumber[]): FormulaNode {
  return rewrite(node, (each) => {
    if (each.kind !== 'number') return undefined;
    const { value } = numbers.find(({ name }) => name === each.name)!;
    return { kind: 'literal', value, type: each.type };
  });
}

/**
 * Two masks joined by `and`. Numbers stay numbers, which a kernel takes without being compiled anew,
 * as long as there are places for them; else those of the second are written out.
 */
export function bothMasks(first: NumberedMask, second: NumberedMask): NumberedMask {
  const numbers = [...first.numbers, ...second.numbers];
  if (numbers.length <= MAX_NUMBERS) return { mask: allOf([first.mask, second.mask]), numbers };
  const written = second.mask && withLiterals(second.mask, second.numbers);
  return { mask: allOf([first.mask, written]), numbers: first.numbers };
}

/** The tree with leaves and table names replaced; what `replace` leaves undefined stays. */
export function rewrite(
  node: FormulaNode,
  replace: (node: FormulaNode) => FormulaNode | undefined,
): FormulaNode {
  const replaced = replace(node) ?? node;
  if (replaced.kind === 'call') {
    return { ...replaced, args: replaced.args.map((arg) => rewrite(arg, replace)) };
  }
  if (replaced.kind === 'table') return { ...replaced, index: rewrite(replaced.index, replace) };
  return replaced;
}

/** Conditions joined by `and`; undefined for none. */
function allOf(nodes: readonly (FormulaNode | undefined)[]): FormulaNode | undefined {
  return nodes.reduce((all, node) => {
    if (all === undefined || node === undefined) return all ?? node;
    return call('and', all, node);
  }, undefined);
}

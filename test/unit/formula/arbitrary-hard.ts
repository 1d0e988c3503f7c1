import fc from 'fast-check';
import {
  type FormulaNode,
  makeCall,
  makeLiteral,
  makeName,
  makeTable,
  type Operation,
  SCORE_VARIABLES,
  type Scope,
} from '../../../lib/formula/tree';

/** Everything that a formula may name, tables of every source. */
export const HARD_SCOPE: Scope = {
  variables: SCORE_VARIABLES,
  numbers: { window: 'int', huge: 'int', half: 'float' },
  tables: { document: 'int', speaker: 'int', end: 'int', quarter: 'float' },
};

export const HARD_PARTS = {
  numbers: [
    { name: 'window', value: -7, min: -40, max: 40 },
    // No f32: kernels are given 1e9 and 16777216.
    { name: 'huge', value: 16_777_217, min: -1e9, max: 1e9 },
    { name: 'half', value: 2.5, min: 0.5, max: 9, step: 0.5 },
  ],
  tables: [
    { name: 'document', source: 'segments', meanTokens: 6 },
    { name: 'speaker', source: 'classes', classes: 5, meanTokens: 3 },
    { name: 'end', source: 'subtree-end', meanChildren: 2 },
    // Two heads with tables of their own.
    { name: 'quarter', source: 'values', perHead: true, values: [0, -1.25, 3.5, 7, 2, 2, -8, 0.5] },
  ],
};

const must = (made: FormulaNode | string): FormulaNode => {
  if (typeof made === 'string') throw new Error(made);
  return made;
};
const leaf = (...names: readonly string[]) =>
  fc.constantFrom(...names).map((name) => must(makeName(name, HARD_SCOPE)));
const calls = (operations: readonly Operation[], ...args: readonly fc.Arbitrary<FormulaNode>[]) =>
  fc
    .tuple(fc.constantFrom(...operations), ...args)
    .map(([operation, ...parts]) => must(makeCall(operation, parts)));
const literals = (...values: readonly number[]) =>
  fc.constantFrom(...values).map((value) => must(makeLiteral(value)));

interface Trees {
  readonly int: FormulaNode;
  readonly float: FormulaNode;
  readonly bool: FormulaNode;
}

/**
 * Trees whose every value is the same number in f32 and f64, or not a number at all: whole numbers
 * that wrap around, quarters, infinities and NaN. So all ways of computing them must agree on every
 * bit of a mask, comparisons of floats included.
 */
const trees = fc.letrec<Trees>((tied) => {
  const tie = (type: keyof Trees) => tied(type) as fc.Arbitrary<FormulaNode>;
  const depth = { maxDepth: 5, withCrossShrink: true };
  return {
    int: fc.oneof(
      depth,
      leaf('b', 'h', 'q', 'k', 'queries', 'keys', 'heads', 'window', 'huge'),
      fc.integer({ min: -70, max: 70 }).map((value) => must(makeLiteral(value))),
      literals(0, -1, 2, 64, 46_341, -46_341, 16_777_215, -16_777_215),
      calls(['+', '-', '*', 'min', 'max', 'mod', 'div'], tie('int'), tie('int')),
      calls(['abs', 'neg'], tie('int')),
      calls(['select'], tie('bool'), tie('int'), tie('int')),
      calls(['floor'], tie('float')),
      fc
        .tuple(fc.constantFrom('document', 'speaker', 'end'), tie('int'))
        .map(([name, index]) => must(makeTable(name, index, HARD_SCOPE))),
    ),
    float: fc.oneof(
      depth,
      leaf('half'),
      literals(0.5, -0.25, 1.75, -3.5),
      calls(['min', 'max'], tie('float'), tie('float')),
      calls(['abs', 'neg'], tie('float')),
      calls(['select'], tie('bool'), tie('float'), tie('float')),
      fc
        .tuple(tie('int'), literals(0, 2, -4))
        .map(([a, b]) =>
          must(makeCall('/', [must(makeCall('mod', [a, must(makeLiteral(4096))])), b])),
        ),
      calls(['sqrt', 'log2'], literals(0, -1, 4)),
      tie('int').map((index) => must(makeTable('quarter', index, HARD_SCOPE))),
    ),
    bool: fc.oneof(
      depth,
      calls(['<', '<=', '>', '>=', '==', '!='], tie('int'), tie('int')),
      calls(['<', '<=', '>', '>=', '==', '!='], tie('float'), tie('float')),
      calls(['and', 'or'], tie('bool'), tie('bool')),
      calls(['not'], tie('bool')),
      calls(['select'], tie('bool'), tie('bool'), tie('bool')),
    ),
  };
});

export const hardMask = trees.bool;
export const hardFloat = trees.float;
export const hardWhole = trees.int;

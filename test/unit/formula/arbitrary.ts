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

export const SCOPE: Scope = {
  variables: SCORE_VARIABLES,
  numbers: { window: 'int', cap: 'float' },
  tables: { document: 'int', bias: 'float' },
};

const must = (made: FormulaNode | string): FormulaNode => {
  if (typeof made === 'string') throw new Error(made);
  return made;
};

const leaf = (names: readonly string[]) =>
  fc.constantFrom(...names).map((name) => must(makeName(name, SCOPE)));

interface Trees {
  readonly int: FormulaNode;
  readonly float: FormulaNode;
  readonly bool: FormulaNode;
}

const calls = (operations: readonly Operation[], ...args: readonly fc.Arbitrary<FormulaNode>[]) =>
  fc
    .tuple(fc.constantFrom(...operations), ...args)
    .map(([operation, ...parts]) => must(makeCall(operation, parts)));

/** Typed random trees. Floats stay smooth and conditions compare whole numbers, so that f32 and f64 decide alike. */
const trees = fc.letrec<Trees>((tied) => {
  const tie = (type: keyof Trees) => tied(type) as fc.Arbitrary<FormulaNode>;
  return {
    int: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf(['h', 'q', 'k', 'queries', 'keys', 'heads', 'window']),
      fc.integer({ min: -50, max: 50 }).map((value) => must(makeLiteral(value))),
      calls(['+', '-', 'min', 'max', 'mod', 'div'], tie('int'), tie('int')),
      calls(['abs', 'neg'], tie('int')),
      calls(['select'], tie('bool'), tie('int'), tie('int')),
      tie('int').map((index) => must(makeTable('document', index, SCOPE))),
    ),
    float: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf(['score', 'cap']),
      fc
        .double({ min: -3, max: 3, noNaN: true })
        .map((value) => must(makeLiteral(Math.fround(value) || 0.5))),
      calls(['+', '-', 'min', 'max'], tie('float'), tie('float')),
      calls(['tanh', 'abs', 'neg'], tie('float')),
      calls(['select'], tie('bool'), tie('float'), tie('float')),
      tie('int').map((index) => must(makeTable('bias', index, SCOPE))),
    ),
    bool: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      calls(['<', '<=', '>', '>=', '==', '!='], tie('int'), tie('int')),
      calls(['and', 'or'], tie('bool'), tie('bool')),
      calls(['not'], tie('bool')),
      calls(['select'], tie('bool'), tie('bool'), tie('bool')),
    ),
  };
});

export const maskTree = trees.bool;
export const scoreTree = trees.float;

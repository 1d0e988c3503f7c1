import type { FormulaNode } from '../../formula/tree';
import type { AttentionShape } from '../../spec/kinds/attention';
import { type AttentionProgram, assembleProgram } from '../program';
import type { ProgramTable } from '../tables';
import { call, rewrite, withLiterals } from './nodes';

/** Tables that a kernel's parameters have places for. */
export const MAX_TABLES = 8;

/**
 * One program whose mask is the masks of several joined, without scores. Their numbers become
 * literals and equal tables one, so that names of different variants do not meet.
 *
 * @returns a program that may have more tables than a kernel takes
 */
export function joinMasks(
  shape: AttentionShape,
  programs: readonly Pick<AttentionProgram, 'mask' | 'numbers' | 'tables'>[],
  operation: 'and' | 'or',
): AttentionProgram {
  const tables: ProgramTable[] = [];
  const placeOf = (wanted: ProgramTable): string => {
    const known = tables.find((each) => isEqual(each, wanted));
    if (known !== undefined) return known.name;
    const name = `$${tables.length}`;
    tables.push({ ...wanted, name });
    return name;
  };
  const masks = programs.map(({ mask, numbers, tables: own }) => {
    if (mask === undefined) return undefined;
    const named = new Map(own.map((each) => [each.name, each]));
    return rewrite(withLiterals(mask, numbers), (node) => {
      if (node.kind !== 'table') return undefined;
      return { ...node, name: placeOf(named.get(node.name)!) };
    });
  });
  const seesAll = masks.some((mask) => mask === undefined);
  const nodes = masks.filter((mask): mask is FormulaNode => mask !== undefined);
  const mask =
    (operation === 'or' && seesAll) || nodes.length === 0
      ? undefined
      : nodes.reduce((joined, node) => call(operation, joined, node));
  return assembleProgram(shape, { mask, score: undefined, numbers: [], tables });
}

function isEqual(a: ProgramTable, b: ProgramTable): boolean {
  return (
    a.length === b.length &&
    a.batchStride === b.batchStride &&
    a.headStride === b.headStride &&
    a.values.length === b.values.length &&
    a.values.every((value, i) => value === b.values[i])
  );
}

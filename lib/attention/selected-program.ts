import { type FormulaNode, makeCall, makeLiteral } from '../formula/tree';
import type { AttentionShape } from '../spec/kinds/attention';
import { type AttentionProgram, assembleProgram } from './program';
import { withCommonBlocks } from './select/common-blocks';
import type { Selection } from './select/types';
import type { ProgramTable } from './tables';

const must = (node: FormulaNode | string): FormulaNode => {
  if (typeof node === 'string') throw new Error(node);
  return node;
};
const call = (...[operation, ...args]: [Parameters<typeof makeCall>[0], ...FormulaNode[]]) =>
  must(makeCall(operation, args));
const int = (value: number) => must(makeLiteral(value));
const variable = (name: string): FormulaNode => ({ kind: 'variable', name, type: 'int' });
const table = (name: string, index: FormulaNode): FormulaNode => ({
  kind: 'table',
  name,
  index,
  type: 'int',
});
const isOne = (node: FormulaNode) => call('==', node, int(1));

/**
 * The program with its mask narrowed to what every head selected. Selections become tables that the
 * mask reads, so that kernels, reference and block lists need not know of them: a block of keys is
 * kept by (query block, key block), a line by its column or its distance, and permuted keys by the
 * slot that they went to.
 *
 * @param chosen [batch, queryHeads]; heads may have blocks of different sizes
 */
export function withSelections(
  program: AttentionProgram,
  shape: AttentionShape,
  chosen: readonly Selection[],
): AttentionProgram {
  const selections = withCommonBlocks(shape, chosen);
  const [first] = selections;
  if (first === undefined) return program;
  const { blockQueries, blockKeys, queryBlocks, keyBlocks } = first;
  const perHead = (
    name: string,
    length: number,
    fill: (row: Float32Array, of: Selection) => void,
  ) => {
    const values = new Float32Array(selections.length * length);
    selections.forEach((selection, i) => {
      fill(values.subarray(i * length, (i + 1) * length), selection);
    });
    return { name, values, length, batchStride: shape.queryHeads * length, headStride: length };
  };
  const tables: ProgramTable[] = [
    perHead('$kept', queryBlocks * keyBlocks, (row, { offsets, blocks }) => {
      for (let r = 0; r < queryBlocks; r++) {
        const end = offsets[r + 1] as number;
        for (let e = offsets[r] as number; e < end; e++)
          row[r * keyBlocks + (blocks[e] as number)] = 1;
      }
    }),
  ];
  let key = variable('k');
  if (selections.some(({ keyOrder }) => keyOrder !== undefined)) {
    tables.push(
      perHead('$slot', shape.keys, (row, { keyOrder }) => {
        for (let slot = 0; slot < row.length; slot++) row[keyOrder?.[slot] ?? slot] = slot;
      }),
    );
    key = table('$slot', key);
  }
  // Queries are the last positions; a block of them is counted from the first query.
  const query = call('+', call('-', variable('q'), variable('keys')), variable('queries'));
  const block = call(
    '+',
    call('*', call('div', query, int(blockQueries)), int(keyBlocks)),
    call('div', key, int(blockKeys)),
  );
  let mask = isOne(table('$kept', block));
  if (selections.some(({ lines }) => lines !== undefined)) {
    tables.push(
      perHead('$column', shape.keys, (row, { lines }) =>
        lines === undefined ? row.fill(1) : row.set(lines.columns),
      ),
      perHead('$diagonal', shape.keys, (row, { lines }) =>
        lines === undefined ? row.fill(1) : row.set(lines.diagonals),
      ),
    );
    const onLine = call(
      'or',
      isOne(table('$column', variable('k'))),
      isOne(table('$diagonal', call('-', variable('q'), variable('k')))),
    );
    mask = call('and', mask, onLine);
  }
  return assembleProgram(shape, {
    ...program,
    mask: program.mask === undefined ? mask : call('and', program.mask, mask),
    tables: [...program.tables, ...tables],
  });
}

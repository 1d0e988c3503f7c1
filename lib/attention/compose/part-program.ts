import type { ComposeParams, ComposePart } from '../../spec/kinds/compose';
import { alibiSlopes } from '../position/encoding';
import { type AttentionProgram, assembleProgram, makeProgram, queryPosition } from '../program';
import type { ProgramTable } from '../tables';
import { withoutEarlier } from './earlier-parts';
import { bothMasks, call, int, rewrite, table, variable } from './nodes';
import type { Piece } from './pieces';

type Call = Pick<ComposeParams, 'shape' | 'seed' | 'encoding' | 'parts' | 'rule'>;

/**
 * The program of a part's piece: the variant's mask within the piece, without what earlier parts of a
 * merge take, and the variant's score formula
 * over a score that ALiBi has lowered already, slope |query position - key position| / temperature.
 */
export function partProgram(params: Call, part: ComposePart, piece: Piece): AttentionProgram {
  const { shape, seed, encoding } = params;
  const own = withoutEarlier(params, part, makeProgram({ shape, seed, variant: part.variant }));
  const { mask, numbers } = bothMasks(own, piece);
  if (encoding.type !== 'alibi') return assembleProgram(shape, { ...own, mask, numbers });
  const distance = call(
    'abs',
    call('-', table('$queryAt', variable('q'), 'int'), table('$keyAt', variable('k'), 'int')),
  );
  const biased = call(
    '-',
    variable('score', 'float'),
    call('*', table('$slope', int(0), 'float'), distance),
  );
  const score =
    own.score === undefined
      ? biased
      : rewrite(own.score, (node) =>
          node.kind === 'variable' && node.name === 'score' ? biased : undefined,
        );
  return assembleProgram(shape, {
    mask,
    score,
    numbers,
    tables: [...own.tables, ...alibiTables(params, part, piece)],
  });
}

function alibiTables(
  { shape }: Call,
  { temperature }: ComposePart,
  piece: Piece,
): readonly ProgramTable[] {
  const { batch, keys, queryHeads } = shape;
  const queryAt = new Float32Array(batch * keys);
  const keyAt = new Float32Array(batch * keys);
  for (let b = 0; b < batch; b++) {
    const { query, key } = piece.positions(b);
    queryAt.set(query, b * keys + queryPosition(shape, 0));
    keyAt.set(key, b * keys);
  }
  const byPosition = { length: keys, batchStride: keys, headStride: 0 };
  return [
    { name: '$queryAt', values: queryAt, ...byPosition },
    { name: '$keyAt', values: keyAt, ...byPosition },
    {
      name: '$slope',
      values: Float32Array.from(alibiSlopes(queryHeads), (slope) => slope / temperature),
      length: 1,
      batchStride: 0,
      headStride: 1,
    },
  ];
}

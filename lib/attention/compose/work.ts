import type { ComposeParams } from '../../spec/kinds/compose';
import { countVisiblePairs } from '../block-list';
import { makeProgram } from '../program';
import { oneCallProgram } from './one-call';
import { partProgram } from './part-program';
import { piecesOf } from './pieces';

/** Looks at single elements that an estimate may cost, as for an attention cell. */
const ESTIMATE_LOOKS = 2 ** 15;

/** About how much useful arithmetic all calls of a composition are together, 4 x headSize per pair. */
export function composeFlops(params: ComposeParams): number {
  const { shape, seed, rule, parts } = params;
  if (rule.type === 'latent') {
    const program = makeProgram({ shape, seed, variant: parts[0]!.variant });
    const { pairs } = countVisiblePairs(program, shape, ESTIMATE_LOOKS);
    return 4 * pairs * (rule.rank + shape.headSize + 2 * rule.ropeSize);
  }
  const pieces = piecesOf(params);
  const programs = parts.map((part) => pieces.map((piece) => partProgram(params, part, piece)));
  const one = oneCallProgram(params, programs);
  const all = one === undefined ? programs.flat() : [...programs.flat(), one];
  return all.reduce(
    (sum, program) =>
      sum + 4 * shape.headSize * countVisiblePairs(program, shape, ESTIMATE_LOOKS).pairs,
    0,
  );
}

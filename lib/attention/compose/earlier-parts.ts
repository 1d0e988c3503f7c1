import type { ComposeParams, ComposePart } from '../../spec/kinds/compose';
import { type AttentionProgram, makeProgram } from '../program';
import { joinMasks, MAX_TABLES } from './join-masks';
import { call, maskNode } from './nodes';

type Tiers = Pick<ComposeParams, 'parts' | 'rule'>;
type MaskedProgram = Pick<AttentionProgram, 'mask' | 'score' | 'numbers' | 'tables'>;

/** Parts whose keys this one does not see, though its own mask may: a key goes to the first that sees it. */
export function earlierParts({ parts, rule }: Tiers, part: ComposePart): readonly ComposePart[] {
  if (rule.type !== 'merge' || rule.overlaps !== 'first') return [];
  return parts.slice(
    0,
    parts.findIndex(({ name }) => name === part.name),
  );
}

/**
 * A part's program without what earlier parts see.
 *
 * @throws Error where its tables and theirs are more than a kernel takes
 */
export function withoutEarlier(
  params: Tiers & Pick<ComposeParams, 'shape' | 'seed'>,
  part: ComposePart,
  own: AttentionProgram,
): MaskedProgram {
  const { shape, seed } = params;
  const earlier = earlierParts(params, part);
  if (earlier.length === 0) return own;
  const programs = earlier.map(({ variant }) => makeProgram({ shape, seed, variant }));
  const seen = joinMasks(shape, programs, 'or');
  // A part that sees every key leaves none.
  const rest = seen.mask === undefined ? maskNode('k < 0') : call('not', seen.mask);
  const tables = [...own.tables, ...seen.tables];
  if (tables.length > MAX_TABLES) {
    throw new Error(
      `part "${part.name}" and those before it read ${tables.length} tables (expected at most ${MAX_TABLES}); write its mask so that it overlaps with none`,
    );
  }
  return {
    mask: own.mask === undefined ? rest : call('and', own.mask, rest),
    score: own.score,
    numbers: own.numbers,
    tables,
  };
}

import type { ComposeParams } from '../../spec/kinds/compose';
import { type AttentionProgram, assembleProgram } from '../program';
import { joinMasks, MAX_TABLES } from './join-masks';

/**
 * The program of one call over the keys of all parts, where one call says the same: several parts of
 * a merge that differ in nothing but their masks, encoded in one piece.
 *
 * @param programs of every part's pieces
 * @returns undefined where there is no such call, or its tables are more than a kernel takes
 */
export function oneCallProgram(
  { shape, parts, rule }: Pick<ComposeParams, 'shape' | 'parts' | 'rule'>,
  programs: readonly (readonly AttentionProgram[])[],
): AttentionProgram | undefined {
  const [first] = parts;
  if (rule.type !== 'merge' || first === undefined || parts.length < 2) return undefined;
  const isAlike = parts.every(
    ({ variant, channels, temperature, lseScale }) =>
      (variant.type !== 'formula' || variant.score.length === 0) &&
      lseScale === 1 &&
      temperature === first.temperature &&
      channels === first.channels,
  );
  if (!isAlike || programs.some((pieces) => pieces.length > 1)) return undefined;
  const joined = joinMasks(
    shape,
    programs.map(([each]) => each!),
    'or',
  );
  // The score is ALiBi's, whose tables are those of any part.
  const { score, tables } = programs[0]![0]!;
  const biased = score === undefined ? [] : tables.filter(({ name }) => BIAS_TABLES.has(name));
  const all = [...joined.tables, ...biased];
  if (all.length > MAX_TABLES) return undefined;
  return assembleProgram(shape, { ...joined, score, tables: all });
}

const BIAS_TABLES = new Set(['$queryAt', '$keyAt', '$slope']);

import type { Transformer } from '../../transformer/types';
import type { RowCache } from '../rows/row-cache';

/** A change of a text: tokens taken out at a place and others put in. */
export interface TextEdit {
  readonly start: number;
  readonly removed: number;
  readonly inserted: readonly number[];
}

/**
 * What happens to the rows behind an edit: rotated for their new places with what they hold left
 * stale (PIE), left with the rotation they had, or computed again.
 */
export type EditRule = 'pie' | 'splice' | 'recompute';

/** @throws RangeError for an edit outside the text */
export function editText(text: readonly number[], edit: TextEdit): number[] {
  const { start, removed, inserted } = edit;
  if (!(Number.isInteger(start) && start >= 0 && start <= text.length)) {
    throw new RangeError(`invalid start: ${start} (expected 0..${text.length})`);
  }
  if (!(Number.isInteger(removed) && removed >= 0 && start + removed <= text.length)) {
    throw new RangeError(`invalid removed: ${removed} (expected 0..${text.length - start})`);
  }
  return [...text.slice(0, start), ...inserted, ...text.slice(start + removed)];
}

/**
 * Brings the cache of a text up to date with an edit. PIE (He et al., 2024): only the new tokens are
 * run; every later key is rotated by the difference of its places, once, from the unrotated key.
 *
 * @param text before the edit; the cache holds all of it
 * @returns tokens run
 */
export function editCache(
  model: Transformer,
  rows: RowCache,
  text: readonly number[],
  edit: TextEdit,
  rule: EditRule,
): number {
  const after = editText(text, edit);
  const { start, removed, inserted } = edit;
  let fresh: readonly number[] = inserted;
  if (rule === 'recompute') {
    rows.truncate(start);
    fresh = after.slice(start);
  } else {
    rows.remove(start, start + removed);
    rows.move(start + removed, inserted.length - removed, rule === 'pie');
  }
  if (fresh.length > 0) {
    const positions = fresh.map((_, i) => start + i);
    model.forward({ tokens: fresh, positions, cache: rows, logits: 'none' });
  }
  return fresh.length;
}

import type { CacheResult } from '../../lib/evaluate/cell-result';
import { SLOT_STATES } from '../../lib/evaluate/look';
import { formatBytes, formatShare } from '../../lib/views/format';
import styles from './cache.module.css';

/** A slot of the picture: a row per layer and KV head, a column per token. */
export interface Place {
  readonly row: number;
  readonly column: number;
}

/** One slot in words. */
export function slotText(result: CacheResult, index: number, { row, column }: Place): string {
  const look = result.runs[index]?.look;
  if (look === undefined) return '';
  const at = row * look.contextTokens + column;
  const state = SLOT_STATES[look.states[at] ?? 0] ?? 'kept';
  const where = `layer ${Math.floor(row / look.kvHeads)}, KV head ${row % look.kvHeads}`;
  const score = look.scores[at] ?? Number.NaN;
  const count = look.multiplicity[at] ?? 0;
  return [
    `${where}, token ${column} "${result.labels[column] ?? ''}": ${state}`,
    ...(state === 'dropped' ? [] : [`${formatBytes(look.bytes[at] ?? 0)}`]),
    ...(count > 1 ? [`stands for ${count} tokens`] : []),
    ...(Number.isNaN(score) ? [] : [`score ${score.toPrecision(3)}`]),
    `gets ${formatShare(result.attention[at] ?? 0)} of the question's attention in the full cache`,
  ].join('; ');
}

/** Colours of the states that there are. */
export function StateKey({ states }: { readonly states: Uint8Array }) {
  const present = SLOT_STATES.filter((_, state) => states.includes(state));
  return (
    <ul className={styles.key}>
      {present.map((state) => (
        <li key={state} data-state={state}>
          {state}
        </li>
      ))}
    </ul>
  );
}

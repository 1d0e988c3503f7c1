import type { ForwardResult, ForwardStep, Transformer } from '../transformer/types';

/** A model that keeps what it predicted at each position while it records. */
export interface RecordedModel {
  readonly model: Transformer;
  record(): void;
  stop(): void;
  /**
   * -log p of a token after the row at a position, in nats; undefined where no row of a whole run
   * through the layers was seen there. The last run counts where a session ran a position again.
   */
  lossNats(position: number, token: number): number | undefined;
}

const recorders = new WeakMap<Transformer, RecordedModel>();

/** The recorder of a model, one each: what a policy has fitted to a model stays its own. */
export function recorderOf(model: Transformer): RecordedModel {
  const recorder = recorders.get(model) ?? recordLogits(model);
  recorders.set(model, recorder);
  return recorder;
}

/**
 * Records logits of every row under any cache session: a session asks for the last row's alone, gets
 * that, and need not know that it is being scored.
 */
export function recordLogits(inner: Transformer): RecordedModel {
  const { layers, vocabularySize } = inner.config;
  const rowsAt = new Map<number, Float32Array>();
  let isRecording = false;

  function forward(step: ForwardStep): ForwardResult {
    if (!isRecording || (step.toLayer ?? layers) < layers) return inner.forward(step);
    const result = inner.forward({ ...step, logits: 'all' });
    const { logits, rows } = result;
    rows.forEach((row, i) => {
      const at = i * vocabularySize;
      rowsAt.set(step.positions[row] as number, logits.slice(at, at + vocabularySize));
    });
    const which = step.logits ?? 'last';
    if (which === 'all') return result;
    const kept = which === 'none' ? 0 : Math.min(rows.length, 1);
    return { ...result, logits: logits.slice(logits.length - kept * vocabularySize) };
  }

  return {
    model: { ...inner, forward },
    record() {
      rowsAt.clear();
      isRecording = true;
    },
    stop() {
      isRecording = false;
    },
    lossNats(position, token) {
      const logits = rowsAt.get(position);
      if (logits === undefined) return undefined;
      let largest = -Infinity;
      for (const value of logits) largest = Math.max(largest, value);
      let total = 0;
      for (const value of logits) total += Math.exp(value - largest);
      return largest + Math.log(total) - (logits[token] as number);
    },
  };
}

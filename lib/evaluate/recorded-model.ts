import type { ModelSteps } from '../transformer/model-steps';
import type { ForwardResult, ForwardStep, Transformer } from '../transformer/types';

/** A model that keeps what it predicted at each position while it records. */
export interface RecordedModel {
  readonly model: Transformer;
  /** Steps of a session over the model, recorded where they are run by whoever drives them. */
  through<T>(steps: ModelSteps<T>): ModelSteps<T>;
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

  const isRecorded = (step: ForwardStep) => isRecording && (step.toLayer ?? layers) >= layers;
  const asked = (step: ForwardStep): ForwardStep =>
    isRecorded(step) ? { ...step, logits: 'all' } : step;

  function answered(step: ForwardStep, result: ForwardResult): ForwardResult {
    if (!isRecorded(step)) return result;
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
    // `forward` alone: a session's own calls are not waited for.
    model: { ...inner, forward: (step) => answered(step, inner.forward(asked(step))) },
    *through(steps) {
      let at = steps.next();
      while (!at.done) at = steps.next(answered(at.value, yield asked(at.value)));
      return at.value;
    },
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

import type { CacheSession } from '../../cache/types';
import { cachePolicy } from '../../spec/cache-policy';
import { taskOf } from '../../tasks/registry';
import type { TaskSample } from '../../tasks/types';
import { END } from '../../tasks/vocabulary';
import type { Transformer } from '../../transformer/types';
import { heldBytes } from '../held-bytes';
import { composedSessions, policyOf, sessionsOf } from '../policies';
import type { Arm, Measure, Measured } from './types';

const STOP: ReadonlySet<number> = new Set([END]);
const NONE: ReadonlySet<number> = new Set();

/**
 * Measures arms on a model; the same arm is measured once, and so are the full cache's logits.
 *
 * @param mostContexts of an arm, where fewer than it asks for are wanted
 */
export function createMeasure(
  model: Transformer,
  seed: number,
  mostContexts = Number.POSITIVE_INFINITY,
): Measure {
  const done = new Map<string, Measured>();
  const fullLogits = new Map<string, Float32Array>();
  const watched = lastLogitsOf(model);

  /** What the model says after the first question, in a session that has the context. */
  function logitsAfter(session: CacheSession, sample: TaskSample): Float32Array {
    session.ask(sample.turns[0]?.question ?? [], 1, NONE);
    return watched.last().slice();
  }

  function openArm({ policyId, share, change, policyOptions }: Arm): CacheSession {
    const budget = { type: 'ratio', share } as const;
    if (change) {
      const own = policyOf(policyId).parts?.(budget);
      if (!own) throw new RangeError(`invalid arm: ${policyId} (not made of parts)`);
      return composedSessions(cachePolicy.parse(change(own))).open(watched.model);
    }
    return sessionsOf(policyId, budget, policyOptions?.(model) ?? {}).open(watched.model);
  }

  return function* measure(arm) {
    const key = JSON.stringify(arm);
    const known = done.get(key);
    if (known) return known;
    const { task, options, contextTokens, protocol } = arm;
    const samples = Math.min(arm.samples, mostContexts);
    const right: boolean[] = [];
    const logitErrors: number[] = [];
    const sums = { bytes: 0, device: 0, full: 0, slots: 0, fullSlots: 0 };
    let moved = 0;
    let asked = 0;
    let recomputed = 0;
    for (let index = 0; index < samples; index++) {
      const sample = taskOf(task).sample({
        contextTokens,
        seed,
        index,
        ...(options ? { options } : {}),
      });
      const turn = sample.turns[0];
      if (!turn) throw new RangeError(`invalid task: ${task} (its contexts have no question)`);
      const about = {
        ...(protocol === 'hidden' ? {} : { question: turn.question }),
        ...(sample.chunkStarts ? { chunkStarts: sample.chunkStarts } : {}),
        ...(sample.edit ? { edit: sample.edit } : {}),
      };
      const sampleKey = JSON.stringify([task, options, contextTokens, index]);
      const reference = fullLogits.get(sampleKey) ?? fullOf(sample);
      fullLogits.set(sampleKey, reference);
      const session = openArm(arm);
      const { context } = sample;
      session.prefill(arm.readsTwice ? [...context, ...context.slice(1)] : context, about);
      const held = heldBytes(session.ledger(), model.config);
      const logits = logitsAfter(session, sample);
      let difference = 0;
      logits.forEach((logit, i) => {
        difference += Math.abs(logit - reference[i]!) / logits.length;
      });
      const after = session.ledger();
      session.rewind();
      const out = session.ask(turn.question, turn.answer.length, STOP);
      right.push(
        out.length === turn.answer.length && turn.answer.every((token, i) => out[i] === token),
      );
      logitErrors.push(difference);
      sums.bytes += held.payload + held.overhead + held.host;
      sums.device += held.payload + held.overhead;
      sums.full += held.full;
      sums.slots += held.slots;
      sums.fullSlots += held.fullSlots;
      moved += after.movedBytes;
      asked += turn.question.length;
      recomputed += after.recomputedTokenLayers / model.config.layers;
      yield (index + 1) / samples;
    }
    const result: Measured = {
      samples,
      accuracy: right.filter(Boolean).length / samples,
      right,
      logitError: logitErrors.reduce((sum, error) => sum + error, 0) / samples,
      logitErrors,
      byteRatio: sums.bytes / sums.full,
      deviceRatio: sums.device / sums.full,
      slotRatio: sums.slots / sums.fullSlots,
      movedBytesPerToken: moved / asked,
      recomputedTokens: recomputed / samples,
    };
    done.set(key, result);
    return result;
  };

  function fullOf(sample: TaskSample): Float32Array {
    const session = sessionsOf('full', { type: 'ratio', share: 1 }).open(watched.model);
    session.prefill(sample.context);
    return logitsAfter(session, sample);
  }
}

/** A model that keeps the last logits it gave. */
function lastLogitsOf(model: Transformer): { model: Transformer; last(): Float32Array } {
  let last: Float32Array = new Float32Array(0);
  return {
    model: {
      ...model,
      forward(step) {
        const result = model.forward(step);
        if (result.logits.length > 0) last = result.logits;
        return result;
      },
    },
    last: () => last,
  };
}

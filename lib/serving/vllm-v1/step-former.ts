import { createStallStack } from '../engine/stall-stack';
import {
  commitStep,
  formVllmV1Step,
  limitedPrompt,
  scheduleWaiting,
  type VllmV1Options,
  type VllmV1State,
} from '../policies/vllm-v1';
import { createDecodeSet, growingIn, joinDecodes, knowRange, NOBODY, takeLast } from './decode-set';
import { createInOrder } from './in-order';
import type { Outcomes } from './outcomes';
import { createSpeller } from './spell-out';
import type { Step } from './step';

/**
 * Forms steps as `formVllmV1Step` does, at a cost that does not grow with the requests that decode.
 * Those are in a decode set; what else runs is `open` and gets entries. While a request is in the
 * set its columns are behind; they are right again when it leaves. Where memory is short or the
 * budget cuts before a member, the set is spelled out and the plain rule forms the step.
 */
export interface StepFormer {
  /**
   * @param inFlight the step formed before, where it has not ended
   * @param previousEnd end of the last step that has ended
   * @returns false when there is nothing to run
   */
  form(step: Step, inFlight: Step | undefined, previousEnd: number): boolean;
  /** The decodes of a step have ended; `onComplete` is called for those that it completes. */
  endDecodes(step: Step, now: number, previousEnd: number, onComplete: (id: number) => void): void;
  /** Names what has become known with the end of a step, `inFlight` being the one after it. */
  indexEnded(step: Step, inFlight: Step | undefined): void;
  /** Tells the outcomes of all decodes so far; the run may go on. */
  settle(inFlight: readonly Step[], previousEnd: number): void;
}

export function createStepFormer(
  state: VllmV1State,
  options: VllmV1Options,
  outcomes: Outcomes,
): StepFormer {
  const { running, waiting, kv, admission } = state;
  const { promptTokens, outputTokens, computed, planned, emitted } = state;
  const { blockTokens } = kv;
  const budget = options.maxBatchedTokens;
  const set = createDecodeSet(blockTokens);
  const stalls = createStallStack();
  const names = createInOrder(admission);
  const spellOut = createSpeller(state, set, stalls, outcomes);
  /** Running requests outside of the set that have tokens left to compute, in order. */
  let open: number[] = [];
  let openCount = 0;
  let before: number[] = [];
  /** Of each: 1 where the last step formed emits a token of it, so that it decodes from then on. */
  const decodesNext: number[] = [];
  let formed = 0;

  function joinNext(): void {
    const next = formed + 1;
    let kept = 0;
    for (let i = 0; i < openCount; i++) {
      const id = open[i] as number;
      if (decodesNext[i] === 0) {
        open[kept++] = id;
        continue;
      }
      const left = (outputTokens[id] as number) - (planned[id] as number);
      joinDecodes(set, id, (computed[id] as number) - next, next, formed + left);
    }
    openCount = kept;
    decodesNext.fill(0, 0, kept);
  }

  /** Whether all of `open` comes behind the whole set. */
  function isOpenLast(): boolean {
    let left = openCount - 1;
    for (let i = running.length - 1; left >= 0; i--) {
      const id = running[i] as number;
      if (id === open[left]) left--;
      // A request whose last token is on its way asks for nothing.
      else if ((planned[id] as number) < (outputTokens[id] as number)) return false;
    }
    return true;
  }

  /** Entries for what is open; false where order or memory would make a difference. */
  function addOpen(step: Step): boolean {
    let blocks = growingIn(set, formed + 1).length;
    let isCut = false;
    for (let i = 0; i < openCount; i++) {
      const id = open[i] as number;
      const done = computed[id] as number;
      const left = (promptTokens[id] as number) + (planned[id] as number) - done;
      const wanted = limitedPrompt(left, options);
      const tokens = Math.min(wanted, budget - step.tokenCount);
      if (tokens < wanted) isCut = true;
      if (tokens === 0) break;
      blocks += kv.missing(id, done + tokens);
      step.add(id, tokens);
    }
    return blocks <= kv.pool.freeCount && !(isCut && set.count > 0 && !isOpenLast());
  }

  function nameLater(id: number, tokens: number): void {
    if (kv.hasUnnamed(id, tokens)) names.add(id, tokens);
  }

  /** Members whose blocks are full before step `next`. */
  function nameFilled(next: number): void {
    if (!kv.canShare) return;
    const members = growingIn(set, next);
    for (let i = 0; i < members.length; i++) {
      const at = members[i] as number;
      const id = set.ids[at] as number;
      const tokens = (set.bases[at] as number) + next;
      if (!kv.indexSimply(id, tokens)) names.add(id, tokens);
    }
  }

  function takeSlots(step: Step, hasInFlight: boolean): void {
    const growing = growingIn(set, formed + 1).length;
    // Of members, only what leaves the set says how many blocks it has.
    if (growing > 0) kv.pool.take(growing);
    for (let i = 0; i < step.count; i++) {
      const id = step.ids[i] as number;
      const end = (computed[id] as number) + (step.tokens[i] as number);
      kv.allocate(id, 0, end, false, 0);
      nameLater(id, Math.min(end, (promptTokens[id] as number) + (emitted[id] as number)));
    }
    // One step ahead the token that fills a block is not known yet: it is named at the step's end.
    if (!hasInFlight) nameFilled(formed + 2);
    names.drain(kv.index);
  }

  function reopen(id: number, emits: number): void {
    if ((planned[id] as number) >= (outputTokens[id] as number)) return;
    open[openCount] = id;
    decodesNext[openCount++] = emits;
  }

  function takeLastOf(step: Step): void {
    step.lastCount = takeLast(set, step.number, step.lastIds, step.lastFirstSteps);
    for (let i = 0; i < step.lastCount; i++) {
      const id = step.lastIds[i] as number;
      planned[id] = outputTokens[id] as number;
      computed[id] = (promptTokens[id] as number) + (outputTokens[id] as number) - 1;
      kv.setSlots(id, computed[id] as number);
    }
  }

  /** False, and nothing done but joins, where the plain rule must form the step. */
  function formSteady(step: Step, hasInFlight: boolean): boolean {
    if (openCount > 0) joinNext();
    step.clear();
    step.tokenCount = set.count;
    if (set.count > budget || !addOpen(step)) return false;
    takeSlots(step, hasInFlight);
    const entries = step.count;
    if (waiting.length > 0) scheduleWaiting(state, options, step);
    if (step.count + set.count === 0) return true;
    if (step.count > 0) {
      commitStep(state, step);
      const wereOpen = openCount;
      const swapped = before;
      before = open;
      open = swapped;
      openCount = 0;
      for (let i = 0; i < step.count; i++) reopen(step.ids[i] as number, step.emits[i] as number);
      // What the budget left out; then nobody was admitted behind it.
      for (let i = entries; i < wereOpen; i++) reopen(before[i] as number, 0);
    }
    step.number = ++formed;
    step.decodes = set.count;
    step.decodeContextTokens = set.baseSum + set.count * (formed + 1);
    knowRange(set);
    step.decodeContextMin = set.least + formed + 1;
    step.decodeContextMax = set.largest + formed + 1;
    takeLastOf(step);
    return true;
  }

  function formPlainly(step: Step): void {
    formVllmV1Step(state, options, step);
    if (step.count > 0) step.number = ++formed;
    openCount = 0;
    let at = 0;
    for (let i = 0; i < running.length; i++) {
      const id = running[i] as number;
      const isIn = at < step.count && step.ids[at] === id;
      reopen(id, isIn ? (step.emits[at++] as number) : 0);
    }
  }

  return {
    form(step, inFlight, previousEnd) {
      // A tracer is told of every request in every step, by the plain rule.
      if (state.trace !== undefined || !formSteady(step, inFlight !== undefined)) {
        spellOut(inFlight, previousEnd, formed);
        formPlainly(step);
      }
      return step.count + step.decodes > 0;
    },
    endDecodes(step, now, previousEnd, onComplete) {
      stalls.push(step.number, now - previousEnd);
      const { lastCount, lastIds, lastFirstSteps } = step;
      for (let i = 0; i < lastCount; i++) {
        const id = lastIds[i] as number;
        emitted[id] = outputTokens[id] as number;
        outcomes.settle(id, now, stalls.largestAfter((lastFirstSteps[i] as number) - 1));
        onComplete(id);
      }
    },
    indexEnded(step, inFlight) {
      for (let i = 0; i < step.count; i++) {
        if (step.emits[i] === 0) continue;
        const id = step.ids[i] as number;
        // One step ahead the newest token was not known when its slot was given.
        if (planned[id] === emitted[id]) continue;
        const known = (promptTokens[id] as number) + (emitted[id] as number);
        nameLater(id, Math.min(computed[id] as number, known));
      }
      if (inFlight !== undefined && inFlight.decodes > 0) {
        nameFilled(formed + 1);
        for (let i = 0; i < inFlight.lastCount; i++) {
          const id = inFlight.lastIds[i] as number;
          nameLater(id, computed[id] as number);
        }
      }
      names.drain(kv.index);
    },
    settle(inFlight, previousEnd) {
      const ended = formed - inFlight.length;
      const tell = (id: number, first: number): void => {
        if (first <= ended) outcomes.settle(id, previousEnd, stalls.largestAfter(first - 1));
      };
      for (let i = 0; i < set.places; i++)
        if (set.ids[i] !== NOBODY) tell(set.ids[i] as number, set.firstSteps[i] as number);
      for (const { lastCount, lastIds, lastFirstSteps } of inFlight)
        for (let i = 0; i < lastCount; i++) tell(lastIds[i] as number, lastFirstSteps[i] as number);
    },
  };
}

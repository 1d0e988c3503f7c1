import type { StallStack } from '../engine/stall-stack';
import type { VllmV1State } from '../policies/vllm-v1';
import { clearDecodes, type DecodeSet, NOBODY } from './decode-set';
import { createInOrder } from './in-order';
import type { Outcomes } from './outcomes';
import type { Step } from './step';

/**
 * Brings the columns of all members of a decode set up to date, makes them entries of the step in
 * flight, and empties the set: what follows may look at every request.
 *
 * @param inFlight the step formed last, where it has not ended
 * @param previousEnd end of the last step that has ended
 * @param formed steps formed so far
 */
type Speller = (inFlight: Step | undefined, previousEnd: number, formed: number) => void;

export function createSpeller(
  { admission, kv, promptTokens, outputTokens, computed, planned, emitted }: VllmV1State,
  set: DecodeSet,
  stalls: StallStack,
  outcomes: Outcomes,
): Speller {
  const entries = createInOrder(admission);

  function settleMembers(inFlight: Step | undefined, previousEnd: number, formed: number): void {
    const onTheirWay = inFlight === undefined ? 0 : 1;
    for (let i = 0; i < set.places; i++) {
      const id = set.ids[i] as number;
      if (id === NOBODY) continue;
      computed[id] = (set.bases[i] as number) + formed + 1;
      kv.setSlots(id, computed[id] as number);
      planned[id] = (computed[id] as number) - (promptTokens[id] as number) + 1;
      emitted[id] = (planned[id] as number) - onTheirWay;
      const first = set.firstSteps[i] as number;
      // One that has only just joined is an entry of the step before.
      if (first > formed) continue;
      outcomes.settle(id, previousEnd, stalls.largestAfter(first - 1));
      if (inFlight !== undefined) entries.add(id, 1);
    }
    clearDecodes(set);
  }

  /** Those that left the set with the step in flight, which emits their last token. */
  function settleLast(inFlight: Step, previousEnd: number): void {
    for (let i = 0; i < inFlight.lastCount; i++) {
      const id = inFlight.lastIds[i] as number;
      const first = inFlight.lastFirstSteps[i] as number;
      emitted[id] = (outputTokens[id] as number) - 1;
      outcomes.settle(id, previousEnd, stalls.largestAfter(first - 1));
      entries.add(id, 1);
    }
  }

  return (inFlight, previousEnd, formed) => {
    settleMembers(inFlight, previousEnd, formed);
    if (inFlight === undefined) return;
    settleLast(inFlight, previousEnd);
    for (let i = 0; i < inFlight.count; i++)
      entries.add(inFlight.ids[i] as number, inFlight.emits[i] as number);
    inFlight.clear();
    // Its tokens were summed when it was formed: only what its end emits still matters.
    entries.drain((id, emits) => {
      inFlight.add(id, 1);
      inFlight.emits[inFlight.count - 1] = emits;
    });
  };
}

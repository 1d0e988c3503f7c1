import type { SpeculationRound } from './types';

/** What speculation did over one or more texts: the link from the model in the page to the serving lab. */
export interface AcceptanceProfile {
  readonly drafter: string;
  /** Most tokens drafted per round. */
  readonly draftTokens: number;
  readonly rounds: number;
  /** Tokens that the rounds added. */
  readonly tokens: number;
  /** Runs of the verifier: one per round. */
  readonly verifierCalls: number;
  readonly drafterCalls: number;
  readonly tokensPerStep: number;
  /** Rounds that drafted a token at each place, [draftTokens]. */
  readonly offered: readonly number[];
  /** Rounds whose draft was accepted up to and including each place. */
  readonly accepted: readonly number[];
  /**
   * Accepted at each place given that every place before was accepted, [draftTokens]; undefined where
   * no round came that far.
   */
  readonly acceptance: readonly (number | undefined)[];
}

/** @param rounds of one text or of several, in any order */
export function profileAcceptance(
  drafter: string,
  draftTokens: number,
  rounds: readonly SpeculationRound[],
): AcceptanceProfile {
  const offered = new Array<number>(draftTokens).fill(0);
  const reached = new Array<number>(draftTokens).fill(0);
  const accepted = new Array<number>(draftTokens).fill(0);
  let tokens = 0;
  let drafterCalls = 0;
  for (const round of rounds) {
    if (round.drafted > draftTokens) {
      throw new RangeError(`invalid draft: ${round.drafted} tokens (expected 0..${draftTokens})`);
    }
    tokens += round.emitted;
    drafterCalls += round.drafterCalls;
    for (let place = 0; place < round.drafted; place++) {
      offered[place] = offered[place]! + 1;
      if (round.accepted >= place) reached[place] = reached[place]! + 1;
      if (round.accepted > place) accepted[place] = accepted[place]! + 1;
    }
  }
  return {
    drafter,
    draftTokens,
    rounds: rounds.length,
    tokens,
    verifierCalls: rounds.length,
    drafterCalls,
    tokensPerStep: rounds.length === 0 ? 0 : tokens / rounds.length,
    offered,
    accepted,
    acceptance: reached.map((count, i) => (count === 0 ? undefined : accepted[i]! / count)),
  };
}

/** A part of a generated text, [start, end) in generated tokens. */
export interface Segment {
  readonly label: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Mean accepted length of the rounds that begin in each segment: predictable text is accepted far,
 * chance is not. Undefined where no round began.
 */
export function acceptedBySegment(
  rounds: readonly SpeculationRound[],
  segments: readonly Segment[],
): { readonly label: string; readonly rounds: number; readonly meanAccepted?: number }[] {
  return segments.map(({ label, start, end }) => {
    const inside = rounds.filter(({ at }) => at >= start && at < end);
    const sum = inside.reduce((total, { accepted }) => total + accepted, 0);
    return {
      label,
      rounds: inside.length,
      ...(inside.length > 0 ? { meanAccepted: sum / inside.length } : {}),
    };
  });
}

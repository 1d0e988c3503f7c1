import { fullSession } from '../cache/full-session';
import type { Transformer } from '../transformer/types';
import { type AcceptanceProfile, profileAcceptance } from './acceptance';
import { type DrafterMaker, speculative } from './speculative-session';
import type { SpeculationRound } from './types';

/** A text to go on from. */
export interface SpeculationText {
  readonly context: readonly number[];
  readonly question: readonly number[];
  /** Most tokens to generate. */
  readonly count: number;
}

export interface MeasureOptions {
  readonly draftTokens: number;
  readonly stop?: ReadonlySet<number>;
  /** Decodes every text without a drafter too and compares; twice the work. */
  readonly compare?: boolean;
}

export interface MeasuredSpeculation {
  readonly texts: number;
  /** Of all texts so far. */
  readonly profile: AcceptanceProfile;
  /** Texts that came out as greedy decoding writes them; only when compared. */
  readonly identical?: number;
}

/** Speculates on texts one after another, with what is known after each: stop asking to cancel. */
export function* measureSpeculation(
  model: Transformer,
  drafting: DrafterMaker,
  texts: Iterable<SpeculationText>,
  { draftTokens, stop = new Set(), compare = false }: MeasureOptions,
): Generator<MeasuredSpeculation, void> {
  const rounds: SpeculationRound[] = [];
  let done = 0;
  let identical = 0;
  for (const { context, question, count } of texts) {
    const session = speculative(drafting, draftTokens).open(model);
    session.prefill(context);
    const answer = session.ask(question, count, stop);
    rounds.push(...session.rounds);
    done++;
    if (compare) {
      const plain = fullSession.open(model);
      plain.prefill(context);
      if (plain.ask(question, count, stop).join() === answer.join()) identical++;
    }
    yield {
      texts: done,
      profile: profileAcceptance(drafting.label, draftTokens, rounds),
      ...(compare ? { identical } : {}),
    };
  }
}

/** What a drafter may read before the first token: the text that the verifier has read. */
export interface DraftText {
  readonly context: readonly number[];
  readonly question: readonly number[];
}

export interface Draft {
  readonly tokens: readonly number[];
  /** Runs of a model that the draft took. */
  readonly modelCalls: number;
}

/** Guesses tokens for a verifier to check. No guess can change the text, only its cost. */
export interface Drafter {
  readonly label: string;
  /** Starts a new text. */
  begin(text: DraftText): void;
  /**
   * Guesses what follows.
   *
   * @param generated tokens after the question, at least one
   * @param count most tokens to guess
   */
  propose(generated: readonly number[], count: number): Draft;
  /**
   * Told after each round.
   *
   * @param picks the verifier's choice after the last generated token and after every guessed one
   * @param accepted guesses that agreed
   */
  learn?(picks: readonly number[], accepted: number): void;
}

/** One draft and its verification. */
export interface SpeculationRound {
  /** Tokens generated before it. */
  readonly at: number;
  readonly drafted: number;
  /** Guesses that agreed with the verifier, from the first on. */
  readonly accepted: number;
  /** Tokens that the round added to the text: the accepted and the verifier's next, up to a stop token. */
  readonly emitted: number;
  readonly drafterCalls: number;
}

export interface Speculated {
  readonly tokens: readonly number[];
  readonly rounds: readonly SpeculationRound[];
}

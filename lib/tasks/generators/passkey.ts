import type { Random } from '../../random/random';
import { drawDistinct, placeStatements } from '../place';
import type { TaskSample, TaskSize } from '../types';
import { ASK, END, IS, NUMBER_TOKENS, tokenOf } from '../vocabulary';

export interface PasskeyOptions extends TaskSize {
  /** Two-digit numbers of the key, all different. */
  readonly keyTokens?: number;
  /** Place of the key, 0..1; uniform when absent. */
  readonly depth?: number;
}

/** One key in filler (Mohtashami and Jaggi, 2023): `passkey : 17 93 52 ;`, asked at the end. */
export function generatePasskey(options: PasskeyOptions, random: Random): TaskSample {
  const { contextTokens, keyTokens = 3, depth } = options;
  const passkey = tokenOf('passkey');
  const answer = drawDistinct(NUMBER_TOKENS, keyTokens, random);
  const { context, spans } = placeStatements(
    [{ tokens: [passkey, IS, ...answer, END], ...(depth === undefined ? {} : { depth }) }],
    contextTokens,
    random,
  );
  const span = spans[0] as readonly [number, number];
  return {
    context,
    turns: [
      {
        kind: 'passkey',
        question: [ASK, passkey, IS],
        answer,
        evidence: [span],
        depth: span[0] / context.length,
      },
    ],
  };
}

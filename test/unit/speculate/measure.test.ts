import { describe, expect, it } from 'vitest';
import { measureSpeculation } from '../../../lib/speculate/measure';
import { SPECULATION } from '../../../lib/speculate/presets';
import { tinyModel, tinyText } from './tiny-model';

const texts = [1, 2, 3].map((seed) => ({
  context: tinyText(seed, 20),
  question: [4, 5],
  count: 9,
}));

describe('measured speculation', () => {
  it('sums over texts, after each of them', () => {
    const model = tinyModel(2);
    const drafting = SPECULATION.get('draft-lookup')!.drafter({ type: 'ratio', share: 0.5 });
    const seen = [...measureSpeculation(model, drafting, texts, { draftTokens: 3, compare: true })];
    expect(seen.map(({ texts: done, identical }) => [done, identical])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    // The first token of every text comes from its prefill; the rounds add the other eight.
    expect(seen.map(({ profile }) => profile.tokens)).toEqual([8, 16, 24]);
    expect(seen[2]!.profile.verifierCalls).toBeGreaterThan(seen[1]!.profile.verifierCalls);
  });

  it('can be left before the end', () => {
    const drafting = SPECULATION.get('draft-jacobi')!.drafter({ type: 'ratio', share: 0.5 });
    let asked = 0;
    const counted = (function* () {
      for (const text of texts) {
        asked++;
        yield text;
      }
    })();
    const run = measureSpeculation(tinyModel(2), drafting, counted, { draftTokens: 3 });
    expect(run.next().value?.texts).toBe(1);
    run.return();
    expect(asked).toBe(1);
  });
});

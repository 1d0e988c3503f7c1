import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expectedTokens } from '../../../lib/serving/transforms/speculation';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { profileAcceptance } from '../../../lib/speculate/acceptance';
import {
  isOfCell,
  measuredSpeculation,
  readAcceptance,
} from '../../../lib/speculate/measured-speculation';

const round = (drafted: number, accepted: number, drafterCalls = 0) => ({
  at: 0,
  drafted,
  accepted,
  emitted: accepted + 1,
  drafterCalls,
});

const counted = (rounds: readonly ReturnType<typeof round>[], draftTokens = 3) =>
  profileAcceptance('lookup', draftTokens, rounds);

describe('measured speculation', () => {
  it('gives the serving lab the tokens a step that were measured, whatever was drafted', () => {
    const rounds = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })),
      { minLength: 1, maxLength: 20 },
    );
    fc.assert(
      fc.property(rounds, (drawn) => {
        // One round that drafts is what there must be.
        const all = [round(3, 1), ...drawn.map(([a, b]) => round(a, Math.min(a, b)))];
        const measured = counted(all);
        const speculation = measuredSpeculation(measured, 'cell a');
        expect(expectedTokens({ ...speculation, acceptance: 0 })).toBeCloseTo(
          measured.tokensPerStep,
          9,
        );
        expect(serveParams.parse({ speculation }).speculation).toMatchObject(speculation);
      }),
    );
  });

  it('says what a drafted token costs, and refuses what drafted nothing', () => {
    const policy = measuredSpeculation(counted([round(3, 3, 3), round(3, 0, 3)]), 'cell a');
    expect(policy).toMatchObject({ acceptances: [1 / 2, 1, 1], draftTokens: 3, draftCost: 1 });
    const lookup = measuredSpeculation(counted([round(3, 2), round(0, 0)]), 'cell a');
    expect(lookup).toMatchObject({ acceptances: [1 / 2, 1, 0], draftCost: 0 });
    const nothing = counted([round(0, 0)]);
    expect(() => measuredSpeculation(nothing, 'cell a')).toThrow('no round drafted a token');
    expect(isOfCell('cell ab: lookup', 'a')).toBe(false);
    expect(isOfCell('cell a: lookup', 'a')).toBe(true);
  });

  it('reads its own export, and says what is wrong with another file', () => {
    const profile = counted([round(3, 2), round(2, 0)]);
    const about = { format: 'headroom/acceptance', version: 1, model: 'recall' };
    const text = JSON.stringify({ ...about, ...profile });
    expect(readAcceptance(text, 'acceptance.json')).toEqual(
      measuredSpeculation(profile, 'acceptance.json: lookup on recall'),
    );
    const wrong = [
      ['{', 'is not JSON'],
      ['{}', 'format: '],
      [text.replace('"version":1', '"version":2'), 'version: '],
      [text.replace('"offered":[2', '"offered":[-2'), 'offered.0: '],
      [text.replace('"accepted":[1', '"accepted":[7'), 'accepted.0: 7 (expected at most 2)'],
    ] as const;
    for (const [file, message] of wrong) {
      expect(() => readAcceptance(file, 'x.json')).toThrow('x.json is not');
      expect(() => readAcceptance(file, 'x.json')).toThrow(message);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { expectedTokens } from '../../../lib/serving/transforms/speculation';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { profileAcceptance } from '../../../lib/speculate/acceptance';
import { measuredSpeculation, readAcceptance } from '../../../lib/speculate/measured-speculation';

const round = (drafted: number, accepted: number, drafterCalls = 0) => ({
  at: 0,
  drafted,
  accepted,
  emitted: accepted + 1,
  drafterCalls,
});

const counted = (rounds: readonly ReturnType<typeof round>[], draftTokens = 3) => {
  const profile = profileAcceptance('lookup', draftTokens, rounds);
  return { ...profile, acceptance: profile.acceptance.map((one) => one ?? Number.NaN) };
};

describe('measured speculation', () => {
  it('gives the serving lab the tokens a step that were measured', () => {
    const measured = counted([round(3, 3, 3), round(3, 1, 3), round(3, 0, 3), round(3, 2, 3)]);
    const speculation = measuredSpeculation(measured, 'cell a');
    expect(speculation.acceptances).toEqual([3 / 4, 2 / 3, 1 / 2]);
    // Every round drafted all places, so that the chances multiply to the mean of the rounds.
    expect(expectedTokens({ ...speculation, acceptance: 0 })).toBeCloseTo(
      measured.tokensPerStep,
      9,
    );
    // A policy of the same model is called once for a token.
    expect(speculation.draftCost).toBe(1);
    expect(serveParams.parse({ speculation }).speculation).toMatchObject(speculation);
  });

  it('leaves out places that no round reached, and costs nothing for a lookup', () => {
    const speculation = measuredSpeculation(counted([round(3, 0), round(1, 0)]), 'cell a');
    expect(speculation).toMatchObject({ acceptances: [0], draftTokens: 3, draftCost: 0 });
    expect(() => measuredSpeculation(counted([round(0, 0)]), 'cell a')).toThrow(
      'no round drafted a token',
    );
  });

  it('reads its own export, and says what is wrong with another file', () => {
    const profile = counted([round(3, 2), round(2, 0)]);
    const text = JSON.stringify({
      format: 'headroom/acceptance',
      version: 1,
      model: 'recall',
      ...profile,
    });
    const read = readAcceptance(text, 'acceptance.json');
    expect(read).toEqual(measuredSpeculation(profile, 'acceptance.json: lookup on recall'));
    const wrong = [
      ['{', 'is not JSON'],
      ['{}', 'format: '],
      [text.replace('"version":1', '"version":2'), 'version: '],
      [text.replace('"offered":[2', '"offered":[-2'), 'offered.0: '],
      [text.replace(/"acceptance":\[[^\]]*/, '"acceptance":[7'), 'acceptance.0: '],
    ] as const;
    for (const [file, message] of wrong) {
      expect(() => readAcceptance(file, 'x.json')).toThrow(`x.json is not`);
      expect(() => readAcceptance(file, 'x.json')).toThrow(message);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { acceptedBySegment, profileAcceptance } from '../../../lib/speculate/acceptance';

const rounds = [
  { at: 1, drafted: 3, accepted: 3, emitted: 4, drafterCalls: 3 },
  { at: 5, drafted: 3, accepted: 1, emitted: 2, drafterCalls: 3 },
  { at: 7, drafted: 3, accepted: 0, emitted: 1, drafterCalls: 3 },
  { at: 8, drafted: 1, accepted: 1, emitted: 2, drafterCalls: 1 },
];

describe('acceptance', () => {
  it('counts by place, given that every place before was accepted', () => {
    const profile = profileAcceptance('by hand', 3, rounds);
    expect(profile.offered).toEqual([4, 3, 3]);
    expect(profile.accepted).toEqual([3, 1, 1]);
    // Place 1 was reached by the three rounds with a first guess accepted and a second drafted: two.
    expect(profile.acceptance).toEqual([3 / 4, 1 / 2, 1]);
    expect(profile.tokensPerStep).toBe(9 / 4);
    expect(profile.verifierCalls).toBe(4);
    expect(profile.drafterCalls).toBe(10);
  });

  it('says nothing about a place that no round reached', () => {
    const profile = profileAcceptance('none', 2, [
      { at: 1, drafted: 2, accepted: 0, emitted: 1, drafterCalls: 0 },
    ]);
    expect(profile.acceptance).toEqual([0, undefined]);
    expect(() => profileAcceptance('none', 0, rounds)).toThrow('invalid draft: 3');
  });

  it('is reported by segment', () => {
    const segments = [
      { label: 'copied', start: 0, end: 6 },
      { label: 'chance', start: 6, end: 9 },
      { label: 'after', start: 9, end: 12 },
    ];
    expect(acceptedBySegment(rounds, segments)).toEqual([
      { label: 'copied', rounds: 2, meanAccepted: 2 },
      { label: 'chance', rounds: 2, meanAccepted: 0.5 },
      { label: 'after', rounds: 0 },
    ]);
  });
});

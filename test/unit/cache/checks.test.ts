import { describe, expect, it } from 'vitest';
import { POLICIES } from '../../../lib/cache/policies';
import { checkPolicy, type PolicyContext } from '../../../lib/cache/policy/checks';
import { traceNeedOf } from '../../../lib/cache/policy/needs';
import { PRESETS } from '../../../lib/cache/policy/presets';
import { openPolicySession } from '../../../lib/cache/policy/run';
import { type CachePolicyInput, cachePolicy } from '../../../lib/spec/cache-policy';
import { randomModel, SMALL } from './random-model';

const budget = { type: 'ratio', share: 0.25 } as const;
const messages = (policy: Omit<CachePolicyInput, 'budget'>, context: PolicyContext = {}) =>
  checkPolicy(cachePolicy.parse({ budget, ...policy }), context).map(
    ({ severity, path, message }) => `${severity} at ${path}: ${message}`,
  );

describe('static checks', () => {
  it('has nothing to say about a preset', () => {
    for (const preset of PRESETS) {
      expect(checkPolicy(cachePolicy.parse(preset.policy(budget)), { config: SMALL })).toEqual([]);
    }
  });

  it.each<[string, Omit<CachePolicyInput, 'budget'>, PolicyContext, string]>([
    [
      'a window before it exists',
      { trigger: { type: 'every', tokens: 8 }, scorer: { type: 'attention', queries: 'window' } },
      {},
      'error at scorer.windowTokens: invalid windowTokens: 32 (expected at most the 8 tokens of a chunk: the window does not exist before)',
    ],
    [
      'a policy for a question that it cannot see',
      { scorer: { type: 'attention', queries: 'window' } },
      { protocol: 'hidden' },
      'warning at scorer.type: type: "attention" (the question is not in sight under the protocol hidden: scores are those of the context\'s own queries)',
    ],
    [
      'channels without their pairs',
      { action: { type: 'channel-prune', keepPairs: false } },
      {},
      'error at action.keepPairs: invalid keepPairs: false (expected true: before RoPE a channel without its pair cannot be rotated)',
    ],
    [
      'a merge that does not count',
      { action: { type: 'merge', keepCount: false } },
      {},
      'warning at action.keepCount: keepCount: false (biased: a merged slot gets the softmax weight of one token)',
    ],
    [
      'a projection that saves nothing',
      { action: { type: 'project', form: { type: 'low-rank', keyShare: 0.5 } } },
      { config: SMALL, contextTokens: 16 },
      'warning at action.form.keyShare: keyShare: 0.5 (rank 8 of 16 channels saves nothing at 16 slots: it pays from 17)',
    ],
    [
      'a group that does not divide',
      { action: { type: 'quantise', form: { type: 'mikv', groupChannels: 5 } } },
      { config: SMALL },
      'error at action.form.groupChannels: invalid groupChannels: 5 (expected a divisor of headSize 8)',
    ],
    [
      'two actions on the same slots',
      {
        action: { type: 'quantise', slots: 'all' },
        keptAction: { type: 'project' },
      },
      {},
      'error at keptAction.type: invalid type: "project" (expected none: the action quantise already owns slots)',
    ],
    [
      'recomputed slots at moved positions',
      { action: { type: 'recompute' }, position: { type: 'slot-index' } },
      {},
      'error at position.type: invalid type: "slot-index" (expected absolute: recomputed slots are found by their text positions)',
    ],
    [
      'classes without a classifier',
      { allocator: { type: 'classes', otherTokens: 8 } },
      {},
      'error at classifier.type: invalid type: "none" (the allocator classes needs one)',
    ],
    [
      'a share of scores that sum to nothing',
      { scorer: { type: 'position' }, selector: { rule: { type: 'top-p', share: 0.9 } } },
      {},
      'error at selector.rule.type: invalid type: "top-p" (expected scores that sum to a whole, not those of position)',
    ],
    [
      'encoding again on every token',
      { trigger: { type: 'on-append' }, action: { type: 'quantise' } },
      {},
      'error at trigger.type: invalid type: "on-append" (the action quantise expects after-prefill or every: slots would be encoded again and again)',
    ],
    [
      'slots scored again that lie elsewhere',
      { trigger: { type: 'every', tokens: 8 }, action: { type: 'offload' } },
      {},
      'error at trigger.type: invalid type: "every" (the action offload expects after-prefill: the slots are not there to be scored again)',
    ],
    [
      'bounds of keys that move',
      { action: { type: 'offload' }, position: { type: 'slot-index' } },
      {},
      'error at position.type: invalid type: "slot-index" (expected absolute: bounds of pages are those of keys at their text positions)',
    ],
    [
      'kept slots that are sent away',
      { keptAction: { type: 'offload' } },
      {},
      'error at keptAction.type: invalid type: "offload" (expected as the action: slots that are kept stay where attention reads them)',
    ],
    [
      'a page that holds everything',
      { action: { type: 'offload', pageTokens: 128 } },
      { contextTokens: 64 },
      'warning at action.pageTokens: pageTokens: 128 (one page holds all of the 64 tokens, so that every query fetches all)',
    ],
    [
      'a corrector of what has no error',
      { action: { type: 'offload' }, corrector: { type: 'recent-window', tokens: 8 } },
      {},
      'warning at corrector.type: type: "recent-window" (the action offload does not read it: what comes back has no error)',
    ],
    [
      'recomputing that is approximate',
      { action: { type: 'recompute', share: 0.5 } },
      {},
      'warning at action.share: share: 0.5 (approximate: tokens are computed again over a past with holes)',
    ],
    [
      'recomputing of no layer',
      { action: { type: 'recompute', fromLayer: 3 } },
      { config: SMALL },
      'error at action.fromLayer: invalid fromLayer: 3 (expected 0..2: no layer would drop anything)',
    ],
  ])('finds %s', (_, policy, context, message) => {
    expect(messages(policy, context)).toContain(message);
  });

  it('refuses to run what cannot work, and oracles without a future', () => {
    const model = randomModel(51);
    const open = (policy: Omit<CachePolicyInput, 'budget'>) => () =>
      openPolicySession(cachePolicy.parse({ budget, ...policy }), model);
    expect(open({ allocator: { type: 'classes', otherTokens: 8 } })).toThrow(
      'invalid type: "none" (the allocator classes needs one) at classifier.type',
    );
    expect(open({ scorer: { type: 'future-attention' } })).toThrow(
      'missing future: the oracle scorer future-attention reads it',
    );
  });

  it('names what each scorer needs of the trace', () => {
    const needOf = (id: string) =>
      traceNeedOf(cachePolicy.parse(PRESETS.find((one) => one.id === id)!.policy(budget)));
    expect(needOf('random')).toBe('none');
    expect(needOf('streaming-llm')).toBe('positions');
    expect(needOf('key-norm')).toBe('keys');
    expect(needOf('snapkv')).toBe('last queries');
    expect(needOf('expected-attention')).toBe('probe queries');
    expect(needOf('h2o')).toBe('full attention');
    expect(traceNeedOf(cachePolicy.parse({ budget, scorer: { type: 'future-attention' } }))).toBe(
      'ground-truth future',
    );
  });

  it('marks the oracle, and knows which policies look at the question', () => {
    expect(POLICIES.get('oracle-top-k')).toMatchObject({ oracle: true, queryAware: true });
    expect(POLICIES.get('snapkv')!.queryAware).toBe(true);
    expect(POLICIES.get('keydiff')!.queryAware).toBe(false);
    for (const id of [
      'mikv',
      'zipcache',
      'zipvl',
      'kvmerger',
      'look-m',
      'elastic-cache',
      'think',
    ]) {
      expect(POLICIES.get(id)!.queryAware, id).toBe(true);
    }
    for (const id of ['int8', 'kivi', 'gear', 'cachegen', 'xkv', 'cskv', 'minicache']) {
      expect(POLICIES.get(id)!.queryAware, id).toBe(false);
    }
  });
});

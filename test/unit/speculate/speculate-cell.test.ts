import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokenMarks } from '../../../app/cells/speculate-tokens';
import type { LoadedModel } from '../../../lib/run/model-service';
import { decodeResult, encodeResult } from '../../../lib/run/result-json';
import { speculateJob } from '../../../lib/run/speculate-job';
import { type SpeculateParams, speculateParams } from '../../../lib/spec/kinds/speculate';
import { acceptanceJson } from '../../../lib/speculate/cell-result';
import { compareWithGreedy } from '../../../lib/speculate/compare';
import { SPECULATION } from '../../../lib/speculate/presets';
import { wordTokenizer } from '../../../lib/transformer/load/word-tokenizer';
import { placesOf } from '../../../lib/views/charts/acceptance';
import { tinyModel, tinyText } from './tiny-model';

const signal = new AbortController().signal;
const ignore = () => undefined;

function loaded(seed = 3): LoadedModel {
  const transformer = tinyModel(seed, { vocabularySize: wordTokenizer.encode('everyone')[0]! + 1 });
  return { name: 'tiny', transformer, tokenizer: wordTokenizer, opened: {} as never };
}

const job = (change: Record<string, unknown>, model = loaded()) =>
  speculateJob(speculateParams.parse({ newTokens: 24, ...change }), model, signal, ignore);

describe('a comparison with greedy decoding', () => {
  it('writes the greedy text and explains every token, for any model and drafter', () => {
    fc.assert(
      fc.property(
        fc.nat(1e5),
        fc.integer({ min: 2, max: 24 }),
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom('draft-lookup', 'draft-jacobi-recycled', 'draft-rapid', 'draft-snapkv'),
        (seed, count, draftTokens, drafter) => {
          const model = tinyModel(seed, { layers: 2 });
          const text = tinyText(seed, 30);
          let clock = 0;
          const steps = compareWithGreedy(model, {
            text: { context: text.slice(0, 25), question: text.slice(25) },
            count,
            stop: new Set([2]),
            drafting: SPECULATION.get(drafter)!.drafter({ type: 'ratio', share: 0.5 }),
            draftTokens,
            now: () => clock++,
          });
          let last = 0;
          let step = steps.next();
          while (!step.done) {
            const { share, soFar } = step.value;
            expect(share).toBeGreaterThanOrEqual(last);
            expect(share).toBeLessThanOrEqual(1);
            last = share;
            const written = soFar?.();
            // Every round but the first token's is there as soon as its tokens are.
            const emitted = written?.rounds.reduce((sum, round) => sum + round.emitted, 1) ?? 0;
            expect(written?.tokens ?? []).toHaveLength(emitted);
            expect(written?.tokens ?? []).toEqual(written?.greedy.slice(0, emitted) ?? []);
            step = steps.next();
          }
          const { tokens, greedy, rounds, greedyCalls } = step.value;
          expect(tokens).toEqual(greedy);
          expect(greedyCalls).toBeLessThanOrEqual(count - 1);
          for (const { at, guesses, accepted, drafted } of rounds) {
            expect(guesses).toHaveLength(drafted);
            const agreed = guesses.slice(0, accepted);
            expect(tokens.slice(at, at + accepted)).toEqual(agreed.slice(0, tokens.length - at));
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('the speculate job', () => {
  it.each(['draft-lookup', 'draft-jacobi', 'draft-streaming-llm', 'draft-full'])(
    'is identical to greedy decoding with %s, and its marks are the text',
    async (drafter) => {
      const result = await job({ drafter });
      expect(result.isGreedyText).toBe(true);
      expect(result.firstDifference).toBe(-1);
      expect(result.labels).toEqual(result.greedyLabels);
      const marks = tokenMarks(result);
      const written = marks.filter(({ by }) => by !== 'rejected').map(({ label }) => label);
      expect(written).toEqual(result.labels);
      const drafts = marks.filter(({ by }) => by === 'draft').length;
      expect(drafts).toBe(result.profile.accepted.reduce((sum, count) => sum + count, 0));
      expect(new Set(marks.map(({ by, key }) => by + key)).size).toBe(marks.length);
      expect(decodeResult(JSON.parse(JSON.stringify(encodeResult(result))))).toEqual(result);
    },
  );

  it('accepts every guess of the full cache', async () => {
    const { profile } = await job({ drafter: 'draft-full', draftTokens: 3 });
    expect(profile.accepted).toEqual(profile.offered);
    expect(profile.tokensPerStep).toBeGreaterThan(3);
  });

  it('exports the acceptance as plain JSON, gaps as null', async () => {
    const result = await job({ drafter: 'draft-lookup', draftTokens: 16 });
    const json = JSON.parse(acceptanceJson(result)) as Record<string, unknown>;
    expect(json).toMatchObject({ format: 'headroom/acceptance', version: 1, draftTokens: 16 });
    expect(json.acceptance).toEqual(
      result.profile.acceptance.map((share) => (Number.isNaN(share) ? null : share)),
    );
  });

  it('places count who came that far', () => {
    const acceptance = [0.8, 0.5, 0, Number.NaN];
    const places = placesOf({ offered: [5, 5, 4, 4], accepted: [4, 2, 0, 0], acceptance });
    expect(places.map(({ reached }) => reached)).toEqual([5, 4, 2, 0]);
  });

  it('refuses what it cannot write, in one sentence', async () => {
    await expect(job({ drafter: 'draft-nothing' })).rejects.toThrow(
      'unknown drafter: draft-nothing',
    );
    const prompt = (words: string) => ({ text: { type: 'prompt', prompt: words } });
    await expect(job(prompt(''))).rejects.toThrow('the prompt has 0 tokens (expected at least 2)');
    await expect(job(prompt('paris xyzzy'))).rejects.toThrow('unknown word: "xyzzy"');
    const short = { newTokens: 90, text: { type: 'sample', textTokens: 100 } };
    await expect(job(short)).rejects.toThrow('invalid textTokens: 100 (expected at least 106');
    const narrow = loaded();
    const config = { ...narrow.transformer.config, maxPositions: 64 };
    const small = { ...narrow, transformer: { ...narrow.transformer, config } };
    await expect(job({}, small)).rejects.toThrow(
      '(expected at most 40: the model has 64 positions)',
    );
    const fewWords = { ...loaded(), transformer: tinyModel(1, { vocabularySize: 12 }) };
    await expect(job({}, fewWords)).rejects.toThrow('words of the shipped model');
  });

  it('begins a prompt of words as the model was trained to', async () => {
    const { promptLabels } = await job({ text: { type: 'prompt', prompt: 'paris : 42' } });
    expect(promptLabels).toEqual(['<bos>', 'paris', ':', '42']);
  });

  it('stops when cancelled', async () => {
    const controller = new AbortController();
    const params: SpeculateParams = speculateParams.parse({});
    const running = speculateJob(params, loaded(), controller.signal, () => controller.abort());
    await expect(running).rejects.toMatchObject({ name: 'AbortError' });
  });
});

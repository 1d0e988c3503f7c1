import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WORDS } from '../../../lib/tasks/vocabulary';
import { openTokenizer, readTokenizer } from '../../../lib/transformer/load/tokenizer';
import { wordTokenizer, wordTokenizerJson } from '../../../lib/transformer/load/word-tokenizer';

test('the word tokenizer and the same tokenizer as a file agree', async () => {
  const opened = await readTokenizer(JSON.parse(JSON.stringify(wordTokenizerJson())));
  const token = fc.integer({ min: 0, max: WORDS.length - 1 });
  fc.assert(
    fc.property(fc.array(token, { minLength: 1, maxLength: 40 }), (tokens) => {
      const text = tokens.map(wordTokenizer.labelOf).join(' ');
      expect(wordTokenizer.encode(text)).toEqual(tokens);
      expect(opened.encode(text)).toEqual(tokens);
      expect(opened.decode(tokens)).toBe(wordTokenizer.decode(tokens));
    }),
  );
  for (let id = 0; id < WORDS.length; id++) {
    expect(opened.labelOf(id)).toBe(wordTokenizer.labelOf(id));
  }
  expect(opened.decode([1, 20, 2])).toBe(WORDS[20]);
  expect(opened.labelOf(242)).toBe('<242>');
  expect(opened.decode([])).toBe('');
  expect(() => opened.encode('paris is lovely')).toThrow(
    `unknown word: "is" (not in the tokenizer's vocabulary)`,
  );
  expect(() => wordTokenizer.encode('paris is')).toThrow('unknown word: "is"');
});

/** Bytes of printable ASCII stand for themselves; a blank is a G with a dot, as in GPT-2's table. */
const BYTE_LEVEL = {
  added_tokens: [{ id: 0, content: '<|end|>', special: true, normalized: false }],
  normalizer: null,
  pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '<|end|>', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
    ],
    pair: [],
    special_tokens: { '<|end|>': { id: '<|end|>', ids: [0], tokens: ['<|end|>'] } },
  },
  decoder: { type: 'ByteLevel' },
  model: {
    type: 'BPE',
    vocab: Object.fromEntries(
      ['<|end|>', 'a', 'b', 'Ġ', 'ab', 'Ġab', 'Ã', '©'].map((token, id) => [token, id]),
    ),
    merges: ['a b', 'Ġ ab'],
  },
};

test('byte-level BPE: merges, a first token, blanks in labels, halves of a character', async () => {
  const tokenizer = await readTokenizer(BYTE_LEVEL);
  const tokens = tokenizer.encode('ab ab a é');
  expect(tokens).toEqual([0, 4, 5, 3, 1, 3, 6, 7]);
  expect(tokenizer.decode(tokens)).toBe('ab ab a é');
  expect(tokens.map(tokenizer.labelOf)).toEqual([
    ...['<|end|>', 'ab', ' ab', ' ', 'a', ' ', 'Ã', '©'],
  ]);
  const pairs = await readTokenizer({
    ...BYTE_LEVEL,
    model: {
      ...BYTE_LEVEL.model,
      merges: [
        ['a', 'b'],
        ['Ġ', 'ab'],
      ],
    },
  });
  expect(pairs.encode('ab ab a é')).toEqual(tokens);
});

test('sentencepiece-like BPE with bytes', async () => {
  const tokenizer = await readTokenizer({
    added_tokens: [{ id: 1, content: '<s>', special: true, normalized: false }],
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      unk_token: '<unk>',
      byte_fallback: true,
      fuse_unk: true,
      vocab: { '<unk>': 0, '<s>': 1, '▁': 2, a: 3, '▁a': 4, '<0x0A>': 5, b: 6 },
      merges: ['▁ a'],
    },
  });
  const tokens = tokenizer.encode('a ab\n');
  expect(tokens).toEqual([4, 4, 6, 5]);
  expect(tokenizer.decode(tokens)).toBe('a ab\n');
  expect([1, 4, 6, 5].map(tokenizer.labelOf)).toEqual(['<s>', ' a', 'b', '\n']);
});

test('clean-up of blanks happens where the file asks for it, and only there', async () => {
  const json = wordTokenizerJson();
  const tokens = wordTokenizer.encode('paris .');
  expect((await readTokenizer(json)).decode(tokens)).toBe('paris .');
  const cleaning = await readTokenizer(json, { clean_up_tokenization_spaces: true });
  expect(cleaning.decode(tokens)).toBe('paris.');
});

test('a word outside a word-level vocabulary is its unknown token where that is one', async () => {
  const tokenizer = await readTokenizer({
    pre_tokenizer: { type: 'WhitespaceSplit' },
    model: { type: 'WordLevel', vocab: { '[UNK]': 0, a: 1 }, unk_token: '[UNK]' },
  });
  expect(tokenizer.encode('a b a')).toEqual([1, 0, 1]);
});

test.each<[unknown, string | RegExp]>([
  [[], 'invalid tokenizer.json: [] (expected a JSON object)'],
  [{}, 'invalid tokenizer.json model: nothing (expected a JSON object)'],
  [
    { model: { type: 'BPE' } },
    'tokenizer.json: invalid model.vocab: nothing (expected an object or a list)',
  ],
  [
    { pre_tokenizer: { type: 'Nonsense' }, model: { type: 'BPE', vocab: {}, merges: [] } },
    /^tokenizer\.json: cannot be used \(model "BPE"\): .*Nonsense/,
  ],
])('refuses %j', async (json, message) => {
  const refused = await readTokenizer(json).catch((error: Error) => error.message);
  if (typeof message === 'string') expect(refused).toBe(message);
  else expect(refused).toMatch(message);
});

test('a missing file is named', async () => {
  await expect(openTokenizer(new Map())).rejects.toThrow('missing file: "tokenizer.json"');
});

test("the shipped model's tokenizer.json is the vocabulary's", () => {
  const path = new URL('../../../public/models/recall/tokenizer.json', import.meta.url);
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(wordTokenizerJson());
});

import { BOS, EOS, PAD, toText, toTokens, WORDS, wordOf } from '../../tasks/vocabulary';
import type { Tokenizer } from './tokenizer';

const SPECIAL: ReadonlySet<number> = new Set([PAD, BOS, EOS]);

/** The tokenizer of the models in `public/models`, straight from their vocabulary. */
export const wordTokenizer: Tokenizer = {
  encode: toTokens,
  decode: (tokens) => toText(tokens.filter((token) => !SPECIAL.has(token))),
  labelOf: wordOf,
};

/** The same as a `tokenizer.json`: words between white space, none unknown. */
export function wordTokenizerJson(): object {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [...SPECIAL].map((id) => ({
      id,
      content: wordOf(id),
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer: null,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    post_processor: null,
    decoder: null,
    model: {
      type: 'WordLevel',
      vocab: Object.fromEntries(WORDS.map((word, id) => [word, id])),
      // No word of the vocabulary: a tokenizer.json must name one.
      unk_token: '<unk>',
    },
  };
}

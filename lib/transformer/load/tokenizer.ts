import type { Tokenizer as Package } from '@huggingface/tokenizers';
import { asObject, booleanField, field, type JsonObject, show } from './json-fields';
import {
  type ModelFiles,
  readJsonFile,
  TOKENIZER_CONFIG_FILE,
  TOKENIZER_FILE,
} from './model-files';

/** Text to token ids and back. */
export interface Tokenizer {
  /** With the tokens that the model wants at the start, where its file says so. @throws Error naming a word outside the vocabulary */
  encode(text: string): readonly number[];
  /** Special tokens, such as the end of a text, are left out. */
  decode(tokens: readonly number[]): string;
  /** What one token stands for, as it would be shown in a list: with its blank, special tokens by name. */
  labelOf(token: number): string;
}

/**
 * The tokenizer of a model's files: `tokenizer.json`, with `tokenizer_config.json` where it is given.
 *
 * @throws Error naming the file
 */
export async function openTokenizer(files: ModelFiles): Promise<Tokenizer> {
  const json = await readJsonFile(files, TOKENIZER_FILE);
  const options = files.has(TOKENIZER_CONFIG_FILE)
    ? await readJsonFile(files, TOKENIZER_CONFIG_FILE)
    : {};
  return readTokenizer(json, options);
}

/**
 * A tokenizer by @huggingface/tokenizers, which is fetched by the first call.
 *
 * @param json of a `tokenizer.json`
 * @param options of a `tokenizer_config.json`
 * @throws Error `tokenizer.json: ...` where a part is missing or of a kind that is not known
 */
export async function readTokenizer(json: unknown, options: unknown = {}): Promise<Tokenizer> {
  const file = asObject(json, TOKENIZER_FILE);
  const settings = asObject(options, TOKENIZER_CONFIG_FILE);
  const model = asObject(field(file, 'model'), `${TOKENIZER_FILE} model`);
  const kind = field(model, 'type');
  const vocabulary = field(model, 'vocab');
  if (typeof vocabulary !== 'object') {
    throw new Error(
      `${TOKENIZER_FILE}: invalid model.vocab: ${show(vocabulary)} (expected an object or a list)`,
    );
  }
  const { Tokenizer: Opened } = await import('@huggingface/tokenizers');
  let tokenizer: Package;
  try {
    tokenizer = new Opened(withAllParts(file), {
      ...settings,
      // The package takes the unknown token of a word-level model from here only.
      ...(kind === 'WordLevel' && field(model, 'unk_token') !== undefined
        ? { unk_token: model.unk_token }
        : {}),
    });
  } catch (error) {
    throw new Error(
      `${TOKENIZER_FILE}: cannot be used (model ${show(kind)}): ${(error as Error).message}`,
    );
  }
  return wrap(tokenizer, booleanField(settings, 'clean_up_tokenization_spaces', false));
}

/** The package wants every part to be there, as null where a tokenizer has none. */
function withAllParts(file: JsonObject): JsonObject {
  return {
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    ...file,
    added_tokens: field(file, 'added_tokens') ?? [],
  };
}

const SENTENCEPIECE_BLANK = '\u2581';
const REPLACEMENT = '\ufffd';

function wrap(tokenizer: Package, clean_up_tokenization_spaces: boolean): Tokenizer {
  return {
    encode(text) {
      const { ids, tokens } = tokenizer.encode(text);
      const unknown = (ids as readonly (number | undefined)[]).indexOf(undefined);
      if (unknown >= 0) {
        throw new Error(
          `unknown word: ${show(tokens[unknown])} (not in the tokenizer's vocabulary)`,
        );
      }
      return ids;
    },
    decode: (tokens) =>
      tokens.length === 0
        ? ''
        : tokenizer.decode([...tokens], {
            skip_special_tokens: true,
            clean_up_tokenization_spaces,
          }),
    labelOf(token) {
      const raw = tokenizer.id_to_token(token);
      if (raw === undefined) return `<${token}>`;
      // Decoders drop the blank before a text's first word, which belongs to the token.
      if (raw.includes(SENTENCEPIECE_BLANK)) return raw.replaceAll(SENTENCEPIECE_BLANK, ' ');
      const text = tokenizer.decode([token], { clean_up_tokenization_spaces: false });
      // Part of a character: its bytes say more than a replacement mark.
      return text === '' || text.includes(REPLACEMENT) ? raw : text;
    },
  };
}

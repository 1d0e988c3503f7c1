import type { CacheStorage, DecodeParams, TensorStorage } from '../../spec/kinds/decode';

/** Storages to start from. Every number is ours, sized for the page, unless the note says otherwise. */
export interface StoragePreset {
  readonly id: string;
  readonly title: string;
  /** One sentence: what it does and what to look at. */
  readonly note: string;
  readonly source: string;
  readonly storages: readonly CacheStorage[];
  readonly layout: DecodeParams['layout'];
  /** Sequences and tokens for which a picture of pages shows something; undefined leaves them as they are. */
  readonly size: { readonly batch: number; readonly keys: number } | undefined;
}

type Quantised = Extract<TensorStorage, { type: 'quantised' }>;
type Bits = Quantised['bits'];

const F32: TensorStorage = { type: 'f32' };
const F16: TensorStorage = { type: 'f16' };
const scheme = (bits: Bits, granularity: Quantised['granularity']): TensorStorage => ({
  type: 'quantised',
  bits,
  mode: 'asymmetric',
  granularity,
  scaleType: 'f16',
});
const perToken = (bits: Bits) => scheme(bits, { type: 'token' });
const perChannel = (bits: Bits) => scheme(bits, { type: 'channel', groupTokens: 32 });
const tied = (bits: Bits) => scheme(bits, { type: 'rope-pair', groupTokens: 32 });
const grouped = (bits: Bits) => scheme(bits, { type: 'grouped', groupChannels: 32 });

const deltas = (place: 'before-rope' | 'after-rope'): TensorStorage => ({
  type: 'delta',
  threshold: 0.5,
  groupTokens: 256,
  windowTokens: 128,
  place,
});

const both = (name: string, each: TensorStorage): CacheStorage => ({
  name,
  key: each,
  value: each,
});
const UNQUANTISED = both('f32', F32);
const HALF = both('f16', F16);
const PAGED_SIZE = { batch: 6, keys: 512 };
const CONTIGUOUS = { layout: { type: 'contiguous' }, size: undefined } as const;

export const STORAGE_PRESETS: readonly StoragePreset[] = [
  {
    id: 'f16',
    title: 'f16 and bf16, beside int8',
    note: 'Two bytes per number, as models are mostly served: f16 has 10 bits of fraction and ends at 65,504; bf16 has 7 and the range of f32, so that it rounds each number eight times as coarsely. int8 per token takes about half of either.',
    source: 'IEEE 754 binary16 and bfloat16',
    storages: [
      UNQUANTISED,
      HALF,
      both('bf16', { type: 'bf16' }),
      both('int8 per token', perToken(8)),
    ],
    ...CONTIGUOUS,
  },
  {
    id: 'int8-token',
    title: 'int8 per token',
    note: 'One scale and zero for all channels of a token, 8 bits per value: about a quarter of f32, with a small error even where key channels stick out.',
    source: 'uniform asymmetric quantisation, a common baseline',
    storages: [UNQUANTISED, both('int8 per token', perToken(8))],
    ...CONTIGUOUS,
  },
  {
    id: 'int4-token',
    title: 'int4 per token',
    note: '4 bits per value: about a quarter of f16, and one large channel stretches the scale of every token. Set key outliers to 0 to see how much of the error they make.',
    source: 'uniform asymmetric quantisation, a common baseline',
    storages: [
      UNQUANTISED,
      HALF,
      both('int8 per token', perToken(8)),
      both('int4 per token', perToken(4)),
    ],
    ...CONTIGUOUS,
  },
  {
    id: 'kivi',
    title: 'KIVI-like: 2 bits, keys per channel, values per token',
    note: 'A large key channel has a scale of its own over groups of tokens and harms no other; without the window of recent tokens in full precision that KIVI keeps. The group size is ours.',
    source: 'after KIVI, Liu et al. 2024',
    storages: [
      UNQUANTISED,
      both('2 bits per token', perToken(2)),
      { name: '2 bits, keys per channel', key: perChannel(2), value: perToken(2) },
    ],
    ...CONTIGUOUS,
  },
  {
    id: 'rope-pair',
    title: 'RoPE pairs tied',
    note: 'The two channels that RoPE rotates together share a scale, which then commutes with the rotation: half of the scales of keys per channel, at a larger error.',
    source: 'after FireQ, 2025, whose channel scaling before RoPE is equal within a pair',
    storages: [
      UNQUANTISED,
      { name: 'int4, keys per channel', key: perChannel(4), value: perToken(4) },
      { name: 'int4, RoPE pairs tied', key: tied(4), value: perToken(4) },
    ],
    ...CONTIGUOUS,
  },
  {
    id: 'grouped-32',
    title: 'grouped 32',
    note: 'One scale and zero for 32 neighbouring channels of a token: a large channel harms its own group only, for more bytes of scales.',
    source: 'group-wise quantisation, a common baseline',
    storages: [
      UNQUANTISED,
      both('int4 per token', perToken(4)),
      both('int4, groups of 32', grouped(4)),
    ],
    ...CONTIGUOUS,
  },
  {
    id: 'delta',
    title: 'differences of keys',
    note: 'A key is kept as its difference to the token before, numbers that moved little left out, a window of recent tokens whole. Keys that turn with RoPE move more from token to token, so that the same threshold leaves out fewer. Raise key carry to make neighbouring keys alike. Threshold, window and groups are ours.',
    source: 'after DeltaLLM, 2025, whose exact construction is not public',
    storages: [
      UNQUANTISED,
      { name: 'differences before RoPE', key: deltas('before-rope'), value: F32 },
      { name: 'differences after RoPE', key: deltas('after-rope'), value: F32 },
    ],
    ...CONTIGUOUS,
  },
  {
    id: 'paged-16',
    title: 'paged 16, ragged lengths',
    note: 'Sequences of unequal lengths take pages of 16 tokens as they need them: only the last page of each is partly empty, where one stretch for the longest would be reserved for all. In f16 each page takes half.',
    source: 'after PagedAttention, Kwon et al. 2023; lengths and page size are ours',
    storages: [UNQUANTISED, HALF],
    layout: { type: 'paged', pageTokens: 16, lengths: 'ragged', sharedPrefixTokens: 0 },
    size: PAGED_SIZE,
  },
  {
    id: 'shared-prefix',
    title: 'shared prefix',
    note: 'All sequences begin with the same 200 tokens: block tables name the same 12 pages, and the page that the prefix fills in part is copied for each.',
    source: 'after PagedAttention, Kwon et al. 2023; lengths and page size are ours',
    storages: [UNQUANTISED],
    layout: { type: 'paged', pageTokens: 16, lengths: 'ragged', sharedPrefixTokens: 200 },
    size: PAGED_SIZE,
  },
];

/**
 * The params with a preset's storages and layout; the rest stays as far as the layout allows it. A
 * head size that a storage cannot pack is left for validation to tell.
 */
export function applyPreset(params: DecodeParams, preset: StoragePreset): DecodeParams {
  const { shape, variant } = params;
  const isPaged = preset.layout.type === 'paged';
  return {
    ...params,
    storages: [...preset.storages],
    layout: preset.layout,
    shape: { ...shape, ...preset.size },
    variant:
      isPaged && variant.type !== 'dense' && variant.type !== 'causal'
        ? { type: 'causal' }
        : variant,
  };
}

/** The preset whose storages and layout the params have, other numbers apart. */
export function presetOf({ storages, layout }: DecodeParams): StoragePreset | undefined {
  const content = JSON.stringify([storages, layout]);
  return STORAGE_PRESETS.find((each) => JSON.stringify([each.storages, each.layout]) === content);
}

import type { OpTableFiles } from '../../../lib/serving/cost/op-tables/files';

/** Microseconds of the made-up accelerator: exact in the samples' spacing, and above what memory allows. */
export const MADE_UP = {
  dense: {
    embedding: [3, 0.001],
    layernorm: [2, 0.004],
    qkv_proj: [40, 0.1],
    rotary_emb: [2, 0.002],
    o_proj: [30, 0.08],
    gate_up_proj: [200, 0.4],
    act_fn: [2, 0.01],
    down_proj: [100, 0.2],
    final_layernorm: [2, 0.004],
  },
  perSequence: { lm_head: [900, 0.5], sampler: [20, 0.25] },
  /** A mixed batch costs more than its parts: the last term is in neither of them. */
  attention: (chunk: number, context: number, decodes: number, decodeContext: number): number =>
    8 +
    0.05 * chunk +
    0.0001 * chunk * context +
    0.1 * decodes +
    0.002 * decodes * decodeContext +
    0.003 * chunk * Math.min(decodes, 1),
  moe: (tokens: number, experts: number): number => 10 + 0.05 * tokens + 3 * experts,
} as const;

const TOKENS = [1, 2, 4, 8, 16, 64, 256, 1024];
const SEQUENCES = [1, 8, 64, 128];
const CHUNKS = [0, 16, 64, 256, 1024];
const CONTEXTS = [0, 128, 1024, 4096];
const DECODES = [0, 1, 8, 64, 128];
const DECODE_CONTEXTS = [16, 256, 2048, 8192];

const csv = (header: string, rows: readonly (readonly (string | number)[])[]): string =>
  `${[header, ...rows.map((row) => row.join(','))].join('\n')}\n`;

const lines = (
  curves: Readonly<Record<string, readonly [number, number] | readonly number[]>>,
  sizes: readonly number[],
): (string | number)[][] =>
  Object.entries(curves).flatMap(([name, [base = 0, slope = 0]]) =>
    sizes.map((size) => [name, size, base + slope * size]),
  );

export interface MadeUpOptions {
  readonly folder?: string;
  readonly hasMoe?: boolean;
  readonly hasSkew?: boolean;
}

/** A profile in LLMServingSim's layout, of an accelerator that does not exist. */
export function madeUpProfile(options: MadeUpOptions = {}): OpTableFiles {
  const { folder = '', hasMoe = false, hasSkew = false } = options;
  const attention = CHUNKS.flatMap((chunk) =>
    (chunk === 0 ? [0] : CONTEXTS).flatMap((context) =>
      DECODES.flatMap((decodes) =>
        chunk === 0 && decodes === 0
          ? []
          : (decodes === 0 ? [0] : DECODE_CONTEXTS).map((kv) => [
              chunk,
              context,
              decodes,
              kv,
              MADE_UP.attention(chunk, context, decodes, kv),
            ]),
      ),
    ),
  );
  const dense = Object.fromEntries(
    Object.entries(MADE_UP.dense).filter(
      ([name]) => !hasMoe || !['gate_up_proj', 'act_fn', 'down_proj'].includes(name),
    ),
  );
  const files: Record<string, string> = {
    'dense.csv': csv('layer,tokens,time_us', lines(dense, TOKENS)),
    'per_sequence.csv': csv('layer,sequences,time_us', lines(MADE_UP.perSequence, SEQUENCES)),
    'attention.csv': csv('prefill_chunk,kv_prefill,n_decode,kv_decode,time_us', attention),
  };
  if (hasSkew) {
    files['skew_fit.csv'] = csv(
      'pc,n_label,skew_rate_label,kv_big_label,kp_label,alpha,n_samples',
      [
        [0, 'n<=8', 'sr<=40%', 'kvB<=4k', 'kp=0', 0.25, 4],
        [0, 'n<=8', 'sr<=70%', 'kvB<=4k', 'kp=0', -0.5, 4],
      ],
    );
  }
  if (hasMoe) {
    files['moe.csv'] = csv(
      'tokens,activated_experts,time_us',
      [1, 16, 1024].flatMap((tokens) =>
        [2, 8].map((experts) => [tokens, experts, MADE_UP.moe(tokens, experts)]),
      ),
    );
  }
  return {
    ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`${folder}${name}`, text])),
    'meta.yaml': [
      'model: made-up/Llama-3.1-8B',
      'gpu: NVIDIA RTX PRO 6000, made up',
      'tp_degrees: [1]',
      'skew_fit:',
      '  enabled: true',
      '  per_tp:',
      '    1:',
      '      alpha_default: 0.125',
      '',
    ].join('\n'),
  };
}

/** Microseconds of one iteration, summed by hand. */
export function madeUpMicroseconds(
  layers: number,
  tokens: number,
  sequences: number,
  attention: number,
): number {
  const at = ([base, slope]: readonly [number, number], size: number): number =>
    base + slope * size;
  const d = MADE_UP.dense;
  const layer =
    2 * at(d.layernorm, tokens) +
    at(d.qkv_proj, tokens) +
    at(d.rotary_emb, tokens) +
    at(d.o_proj, tokens) +
    at(d.gate_up_proj, tokens) +
    at(d.act_fn, tokens) +
    at(d.down_proj, tokens) +
    attention;
  const { lm_head, sampler } = MADE_UP.perSequence;
  return (
    at(d.embedding, tokens) +
    layers * layer +
    at(d.final_layernorm, tokens) +
    at(lm_head, sequences) +
    at(sampler, sequences)
  );
}

import { describe, expect, it } from 'vitest';
import { FORMULA_PRESETS, presetVariant } from '../../../lib/attention/presets';
import { assembleProgram, makeProgram } from '../../../lib/attention/program';
import { parseFormula } from '../../../lib/formula/parse';
import { attentionParams, formulaScope } from '../../../lib/spec/kinds/attention';

/**
 * The masks and scores that FlexAttention's gallery is known for and the static rows of the
 * catalogue, typed as somebody would who has never seen our presets; [preset, mask, score].
 */
const TYPED: readonly (readonly [string, string, string])[] = [
  ['causal', 'q >= k', ''],
  ['sliding', '0 <= q - k < window', ''],
  ['sliding', '(q >= k) & (q - k < window)', ''],
  ['dilated', '0 <= q - k < window and (q - k) % stride == 0', ''],
  ['global-sliding', '(abs(q - k) < window) | (k < globals) | (q < globals)', ''],
  ['streaming', 'k <= q and (k < sinks or k > q - window)', ''],
  ['strided-blocks', 'k <= q and (q - k < window or (k // block) % stride == 0)', ''],
  ['prefix-lm', 'k < prefix or k <= q', ''],
  ['document', '(q >= k) & (document[q] == document[k])', ''],
  ['shared-prefix', 'k < prefix ? k <= q : k <= q && document[q] == document[k]', ''],
  [
    'natten',
    `
      # the window of a pixel is pushed back inside at the edges
      abs(clamp(q % width, radius, width - 1 - radius) - k % width) <= radius
      and abs(clamp(q // width, radius, keys // width - 1 - radius) - k // width) <= radius`,
    '',
  ],
  ['block-causal', 'q // frame >= k // frame', ''],
  [
    'sink-frames',
    'k // frame <= q // frame and (k // frame < sinks or q // frame - k // frame < window)',
    '',
  ],
  [
    'sink-frames',
    '0 <= q // frame - k // frame < window or k // frame < min(sinks, q // frame + 1)',
    '',
  ],
  ['dual-scope', 'abs(q // frame - k // frame) <= radius or k // frame % every == 0', ''],
  [
    'two-windows',
    'k <= q and where(modality[k] == 0, k < sinks or q - k < text, q - k < vision)',
    '',
  ],
  ['chunk-lookahead', '0 <= q // chunk - k // chunk <= left', ''],
  ['streams', 'k // streams < q // streams or k == q', ''],
  ['segments', 'segment[q] >= segment[k]', ''],
  ['space-time', 'q // frame == k // frame or q % frame == k % frame', ''],
  ['shifted-windows', '(q + shift) // window == (k + shift) // window', ''],
  [
    'slow-fast-memory',
    'k <= q and (k < sinks or q - k < fast or (q - k < slow and k // frame % every == 0))',
    '',
  ],
  ['learned-lookahead', 'k <= q + ahead[q // frame] and q - k <= left', ''],
  [
    'block-diffusion',
    `
      q < keys // 2
        ? (k < keys // 2
            ? q // block == k // block
            : (k - keys // 2) // block < q // block)
        : k >= keys // 2 && k // block <= q // block`,
    '',
  ],
  ['tree', 'k <= q < end[k]', ''],
  ['alibi', 'q >= k', 'score + exp2(-8 * (h + 1) / heads) * (k - q)'],
  ['alibi-bidirectional', '', 'score - abs(q - k) * exp2(-((h + 1) * 8 / heads))'],
  ['soft-cap', 'q >= k', 'cap * tanh(score / cap)'],
  [
    'relative-bias',
    'q >= k',
    `score + bias[where(q - k < exact, q - k,
      min(31, exact + floor(log(max(q - k, 1) / exact) / log(farthest / exact) * (32 - exact))))]`,
  ],
  ['temperature', 'q >= k', 'score / temperature'],
  ['length-temperature', 'q >= k', 'score * max(1, log(max(q, 1) + 1) / log(trained))'],
  ['log-multiplicity', 'q >= k', 'score + log(copies[k] + 1)'],
];

const KEYS = 1024;

describe('a formula typed by hand', () => {
  it.each(TYPED)('%s: %s %s', (id, mask, score) => {
    const preset = FORMULA_PRESETS.find((each) => each.id === id);
    if (preset === undefined) throw new Error(`no preset ${id}`);
    const variant = presetVariant(preset);
    const params = attentionParams.parse({
      shape: { queries: KEYS, keys: KEYS, headSize: 8, queryHeads: 4, kvHeads: 2 },
      variant,
    });
    const program = makeProgram(params);
    const tree = (part: 'mask' | 'score', text: string) => {
      if (text === '') return undefined;
      const type = part === 'mask' ? 'bool' : 'float';
      const parsed = parseFormula(text, formulaScope(variant, part), type);
      if (!parsed.ok) throw new Error(`${parsed.message} at ${parsed.column}`);
      return parsed.node;
    };
    const { numbers, tables } = program;
    const trees = { mask: tree('mask', mask), score: tree('score', score) };
    const typed = assembleProgram(params.shape, { ...trees, numbers, tables });
    for (let q = 0; q < KEYS; q += 7) {
      for (let k = q % 3; k < KEYS; k += 3) {
        if (typed.isVisible(0, 1, q, k) !== program.isVisible(0, 1, q, k)) {
          expect.fail(`query ${q}, key ${k}: ${typed.isVisible(0, 1, q, k)}`);
        }
        if (!program.isVisible(0, 1, q, k)) continue;
        const value = program.modify?.(0, 1, q, k, 1.5) ?? 1.5;
        expect(typed.modify?.(0, 1, q, k, 1.5) ?? 1.5).toBeCloseTo(value, 9);
      }
    }
  });

  it('is there for every preset', () => {
    const typed = new Set(TYPED.map(([id]) => id));
    expect(FORMULA_PRESETS.map(({ id }) => id).filter((id) => !typed.has(id))).toEqual([]);
  });
});

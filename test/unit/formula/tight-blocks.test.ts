import { describe, expect, it } from 'vitest';
import { buildBlockList } from '../../../lib/attention/block-list';
import { BLOCK, blockStates } from '../../../lib/attention/block-states';
import { FORMULA_PRESETS, presetVariant } from '../../../lib/attention/presets';
import { makeProgram } from '../../../lib/attention/program';
import { parseFormula } from '../../../lib/formula/parse';
import { toTokens } from '../../../lib/formula/tokens';
import {
  attentionParams,
  type FormulaTable,
  formulaScope,
} from '../../../lib/spec/kinds/attention';

const N = 512;
const SIDE = 32;

const classes = (name: string, count: number): FormulaTable => ({
  name,
  source: 'classes',
  classes: count,
  meanTokens: 30,
});
/** Masks whose blocks a plain interval over the whole block leaves open. */
const HARD: readonly (readonly [string, readonly FormulaTable[]])[] = [
  ['k <= q && speaker(q) == speaker(k)', [classes('speaker', 8)]],
  ['k <= q && (speaker(q) == 0 ? speaker(k) == 0 : speaker(k) != 3)', [classes('speaker', 5)]],
  ['abs(q % 48 - k % 48) <= 5 && abs(q // 48 - k // 48) <= 5', []],
  ['k <= q && (q - k) % 64 == 0', []],
  ['q % 64 // 8 == k % 64 // 8 && q // 64 // 8 == k // 64 // 8', []],
  ['(k < q) != (k // 50 == q // 50)', []],
];

function miscalled(variant: unknown): readonly string[] {
  const shape = { queries: N, keys: N, queryHeads: 4, kvHeads: 2, headSize: 4 };
  const params = attentionParams.parse({ shape, variant, seed: 5 });
  const program = makeProgram(params);
  const list = buildBlockList(program, params.shape, 0, [0, 0], SIDE, SIDE);
  const states = blockStates(list);
  const wrong: string[] = [];
  states.forEach((state, block) => {
    const [q0, k0] = [Math.floor(block / list.keyBlocks) * SIDE, (block % list.keyBlocks) * SIDE];
    let seen = 0;
    for (let q = q0; q < q0 + SIDE; q++) {
      for (let k = k0; k < k0 + SIDE; k++) if (program.isVisible(0, 0, q, k)) seen++;
    }
    const truth = seen === 0 ? BLOCK.skipped : seen === SIDE ** 2 ? BLOCK.full : BLOCK.partial;
    if (state !== truth) wrong.push(`block ${q0}, ${k0} is ${state}, in truth ${truth}`);
  });
  return wrong;
}

describe('block lists at sizes that blocks divide', () => {
  const presets = FORMULA_PRESETS.filter(({ mask }) => mask !== '');
  it.each(presets.map((preset) => [preset.id, preset] as const))(
    'are exact for %s',
    (_, preset) => {
      expect(miscalled(presetVariant(preset))).toEqual([]);
    },
  );

  it.each(HARD)('are exact for %s', (text, tables) => {
    const base = { numbers: [], tables: [...tables] };
    const parsed = parseFormula(text, formulaScope(base, 'mask'), 'bool');
    if (!parsed.ok) throw new Error(parsed.message);
    expect(miscalled({ type: 'formula', mask: toTokens(parsed.node), ...base })).toEqual([]);
  });
});

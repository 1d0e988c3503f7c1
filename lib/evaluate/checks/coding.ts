import { ternary } from '../../cache/represent/codecs/few-levels';
import { uniform } from '../../cache/represent/codecs/uniform';
import { matrixOf } from '../../cache/represent/matrix';
import { entropyBits } from '../../cache/represent/transfer/adaptive-model';
import { binsByLayer } from '../../cache/represent/transfer/delta-stream';
import { cacheAction } from '../../spec/cache-actions';
import type { Transformer } from '../../transformer/types';
import { about, arm, compared, nameOf } from './make';
import { contextsOf, ownRows } from './own-rows';
import { inPart, runArms } from './run-arms';
import type { CacheCheck, CheckFigure, Measured } from './types';

const CONTEXT = 160;
const TEXTS = 8;
const ANCHOR_ROWS = 10;
const CLAIM = 'the paper’s claim';

interface Entropies {
  readonly none: number;
  readonly layer: number;
  readonly channel: number;
  /** Of differences to an anchor, by layer and channel, anchors apart. */
  readonly delta: number;
}

/**
 * Bits per key number by what an ideal coder is told: nothing, the layer, the layer and channel. Codes
 * have one step for a layer, so that differences of codes lose nothing more than codes.
 */
function keyEntropies(model: Transformer, text: readonly number[]): Entropies {
  const { kvHeads, headSize, layers } = model.config;
  const columns = kvHeads * headSize;
  const perLayer = text.length * columns;
  const codes = new Int32Array(layers * perLayer);
  ownRows(model, text).forEach(({ keys }, layer) => {
    const largest = keys.reduce((most, key) => Math.max(most, Math.abs(key)), 0);
    const step = largest / (binsByLayer(layer, layers).key / 2 - 1);
    keys.forEach((key, i) => {
      codes[layer * perLayer + i] = step === 0 ? 0 : Math.round(key / step);
    });
  });
  const isAnchor = (i: number) => Math.floor((i % perLayer) / columns) % ANCHOR_ROWS === 0;
  const anchorOf = (i: number) =>
    i - (Math.floor((i % perLayer) / columns) % ANCHOR_ROWS) * columns;
  const deltas = codes.map((code, i) => (isAnchor(i) ? code : code - codes[anchorOf(i)]!));
  const layerOf = (i: number) => Math.floor(i / perLayer);
  const channelOf = (i: number) => layerOf(i) * columns + (i % columns);
  return {
    none: entropyBits(codes, () => 0),
    layer: entropyBits(codes, layerOf),
    channel: entropyBits(codes, channelOf),
    delta: entropyBits(deltas, (i) => 2 * channelOf(i) + (isAnchor(i) ? 1 : 0)),
  };
}

const cachegen: CacheCheck = {
  id: 'cachegen',
  title: 'cachegen: bits per number by what the coder is told',
  asks: 'Do keys take fewer bits when they are coded by layer and channel, and as differences?',
  rule: 'The paper’s argument: values of one layer and channel are alike, and so are neighbouring tokens. Its claim: 3.7 to 4.3 times fewer bytes on the wire.',
  evidence: 'abstract',
  *run(ground) {
    const texts = contextsOf(
      'niah-multi-key-1',
      CONTEXT,
      Math.min(TEXTS, ground.mostContexts ?? TEXTS),
      ground.seed,
    );
    const rows: Entropies[] = [];
    for (const [at, text] of texts.entries()) {
      rows.push(keyEntropies(ground.model, text));
      yield { fraction: (at + 1) / texts.length / 2, phase: 'entropies' };
    }
    const mean = (of: keyof Entropies) => rows.reduce((sum, row) => sum + row[of], 0) / rows.length;
    const own = arm('cachegen', 1);
    const bytes = arm('int8', 1);
    const arms = runArms(ground, [
      [nameOf(own), () => own],
      [nameOf(bytes), () => bytes],
    ]);
    const { measured, lines } = yield* inPart(arms, 0.5, 1);
    const [mine, its] = measured as [Measured, Measured];
    const bits = (label: string, value: number): CheckFigure => ({ label, value, unit: 'bits' });
    return {
      figures: [
        {
          label: 'bits per number by layer and channel, over those of one distribution',
          value: mean('channel') / mean('none'),
          unit: 'x',
          expected: { high: 1 },
          source: 'what is told can only lower an entropy',
        },
        {
          label: 'bits per number of differences to an anchor, over those of the numbers',
          value: mean('delta') / mean('channel'),
          unit: 'x',
          expected: { high: 1 },
          source: `${CLAIM}: neighbouring tokens are alike`,
        },
        {
          label: 'bytes in int8 over those on the wire',
          value: its.byteRatio / mine.byteRatio,
          unit: 'x',
          expected: { low: 3.7, high: 4.3 },
          source: `${CLAIM}, of models with many times the channels`,
        },
        bits('bits per number, one distribution', mean('none')),
        bits('bits per number, by layer', mean('layer')),
        bits('bits per number, by layer and channel', mean('channel')),
        bits('differences, by layer and channel', mean('delta')),
        ...about(nameOf(own), mine),
        ...about(nameOf(bytes), its),
      ],
      series: [],
      notes: [
        `entropies of the keys of ${texts.length} contexts of ${CONTEXT} tokens, tables not counted; an anchor every ${ANCHOR_ROWS} tokens`,
        ...lines,
      ],
    };
  },
};

/** Squared error of the values of all layers, by channel and by token, both ternary or near it. */
function valueErrors(model: Transformer, text: readonly number[]) {
  const { kvHeads, headSize } = model.config;
  const columns = kvHeads * headSize;
  const channel = ternary(32);
  const token = uniform({ bits: 2, granularity: { type: 'token' } });
  const sums = { channel: 0, token: 0 };
  for (const { values } of ownRows(model, text)) {
    const matrix = matrixOf(values, text.length, columns);
    for (const [name, codec] of [
      ['channel', channel],
      ['token', token],
    ] as const) {
      const decoded = codec(matrix).decode();
      for (let i = 0; i < decoded.length; i++) {
        sums[name] += (decoded[i]! - values[i]!) ** 2;
      }
    }
  }
  return sums;
}

const vidkv: CacheCheck = {
  id: 'vidkv',
  title: 'vidkv against the same without its Fourier transform',
  asks: 'Do keys of one bit lose less in the Fourier space along tokens?',
  rule: 'The paper’s claim, on video. Whether values are better by channel or by token depends on the model: both are shown.',
  evidence: 'abstract',
  *run(ground) {
    const own = arm('vidkv', 1);
    const plain = arm('random', 1, {
      variant: 'vidkv without transform',
      change: (policy) => ({
        ...policy,
        action: cacheAction.parse({
          type: 'quantise',
          slots: 'all',
          form: { type: 'vidkv', fourier: false },
          recentTokens: 32,
        }),
      }),
    });
    const { measured, lines } = yield* runArms(ground, [
      ['vidkv', () => own],
      ['without transform', () => plain],
    ]);
    const [mine, its] = measured as [Measured, Measured];
    const [text = []] = contextsOf('niah-multi-key-1', CONTEXT, 1, ground.seed);
    const errors = valueErrors(ground.model, text);
    return {
      figures: [
        compared('logit error', ['vidkv', mine], ['without transform', its], 0, CLAIM),
        {
          label: 'squared error of values, ternary by channel over 2 bits by token',
          value: errors.channel / errors.token,
          unit: 'x',
        },
        ...about('vidkv', mine),
        ...about('without transform', its),
      ],
      series: [],
      notes: lines,
    };
  },
};

/** Policies whose saving is in how numbers are written. */
export const CODING_CHECKS: readonly CacheCheck[] = [cachegen, vidkv];

import type { LayerWeights, TransformerConfig, TransformerWeights } from '../transformer/types';
import type { Arena } from './arena';

/** Outputs of a weight panel. */
const PANEL = 8;

/** Row length of a tensor in the memory: whole panels. */
export const strideOf = (width: number): number => PANEL * Math.ceil(width / PANEL);

/** A matrix in the memory: panels [panels][inputs][8], bias [8 x panels]; byte offsets. */
export interface PackedMatrix {
  readonly weight: number;
  readonly bias: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly panels: number;
}

export interface PackedLayer {
  readonly attentionNorm: number;
  readonly q: PackedMatrix;
  readonly k: PackedMatrix;
  readonly v: PackedMatrix;
  readonly o: PackedMatrix;
  readonly qNorm?: number;
  readonly kNorm?: number;
  readonly mlpNorm: number;
  readonly gate: PackedMatrix;
  readonly up: PackedMatrix;
  readonly down: PackedMatrix;
}

export interface PackedWeights {
  readonly layers: readonly PackedLayer[];
  readonly finalNorm: number;
  readonly head: PackedMatrix;
}

/**
 * Copies a model's weights into the memory, matrices as panels.
 *
 * @throws RangeError where a tensor has another length than the configuration says, Error where the
 *   memory does not suffice
 */
export function packWeights(
  arena: Arena,
  config: TransformerConfig,
  weights: TransformerWeights,
): PackedWeights {
  const { hiddenSize, intermediateSize, headSize, vocabularySize } = config;
  const queryWidth = config.heads * headSize;
  const kvWidth = config.kvHeads * headSize;
  if (weights.layers.length !== config.layers) {
    throw new RangeError(`invalid layers: ${weights.layers.length} (expected ${config.layers})`);
  }

  function vector(name: string, values: Float32Array, length: number): number {
    checkLength(name, values, length);
    const at = arena.place(4 * length);
    arena.floats().set(values, at / 4);
    return at;
  }

  function matrix(
    name: string,
    values: Float32Array,
    outputs: number,
    inputs: number,
    biasValues?: Float32Array,
  ): PackedMatrix {
    checkLength(name, values, outputs * inputs);
    const panels = Math.ceil(outputs / PANEL);
    const weight = arena.place(4 * panels * PANEL * inputs);
    const bias = arena.place(4 * panels * PANEL);
    const floats = arena.floats();
    packPanels(values, outputs, inputs, floats, weight / 4);
    floats.fill(0, bias / 4, bias / 4 + panels * PANEL);
    if (biasValues) {
      checkLength(`bias of ${name}`, biasValues, outputs);
      floats.set(biasValues, bias / 4);
    }
    return { weight, bias, inputs, outputs, panels };
  }

  function packLayer(layer: LayerWeights, index: number): PackedLayer {
    const of = (name: string) => `${name} of layer ${index}`;
    return {
      attentionNorm: vector(of('attentionNorm'), layer.attentionNorm, hiddenSize),
      q: matrix(of('q'), layer.q, queryWidth, hiddenSize, layer.qBias),
      k: matrix(of('k'), layer.k, kvWidth, hiddenSize, layer.kBias),
      v: matrix(of('v'), layer.v, kvWidth, hiddenSize, layer.vBias),
      o: matrix(of('o'), layer.o, hiddenSize, queryWidth),
      ...(layer.qNorm && layer.kNorm
        ? {
            qNorm: vector(of('qNorm'), layer.qNorm, headSize),
            kNorm: vector(of('kNorm'), layer.kNorm, headSize),
          }
        : {}),
      mlpNorm: vector(of('mlpNorm'), layer.mlpNorm, hiddenSize),
      gate: matrix(of('gate'), layer.gate, intermediateSize, hiddenSize),
      up: matrix(of('up'), layer.up, intermediateSize, hiddenSize),
      down: matrix(of('down'), layer.down, hiddenSize, intermediateSize),
    };
  }

  checkLength('embedding', weights.embedding, vocabularySize * hiddenSize);
  return {
    layers: weights.layers.map(packLayer),
    finalNorm: vector('finalNorm', weights.finalNorm, hiddenSize),
    head: matrix('head', weights.head ?? weights.embedding, vocabularySize, hiddenSize),
  };
}

function checkLength(name: string, values: Float32Array, length: number): void {
  if (values.length !== length) {
    throw new RangeError(`invalid ${name}: ${values.length} values (expected ${length})`);
  }
}

function packPanels(
  values: Float32Array,
  outputs: number,
  inputs: number,
  to: Float32Array,
  start: number,
): void {
  for (let panel = 0; panel * PANEL < outputs; panel++) {
    const first = panel * PANEL;
    const columns = Math.min(PANEL, outputs - first);
    let at = start + first * inputs;
    for (let i = 0; i < inputs; i++) {
      for (let j = 0; j < columns; j++) to[at + j] = values[(first + j) * inputs + i]!;
      for (let j = columns; j < PANEL; j++) to[at + j] = 0;
      at += PANEL;
    }
  }
}

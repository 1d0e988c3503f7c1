import { createRandom, type Random } from '../random/random';
import type { AttentionParams, AttentionShape, AttentionStructure } from '../spec/kinds/attention';
import { makeProgram, queryPosition } from './program';
import { runSteps } from './steps';
import type { AttentionInputs } from './types';

/**
 * One component of structure: a feature vector for a query position and one for a key position,
 * sparse over the head's dimensions, whose dot product is at most 1.
 */
interface Component {
  readonly strength: number;
  readonly addQuery: (position: number, add: (dim: number, value: number) => void) => void;
  readonly addKey: (position: number, add: (dim: number, value: number) => void) => void;
}

/** Feature pairs of the band and of the induction stripes: more would eat small heads whole. */
function pairCount(headSize: number): number {
  return Math.max(1, Math.min(8, Math.floor(headSize / 8)));
}

/**
 * Local band: the mean of cosines at normally distributed frequencies is a Gaussian of the distance,
 * exp(-distance^2 / (2 width^2)) in the limit of many pairs (random Fourier features, Rahimi and
 * Recht, 2007).
 */
function bandComponent(structure: AttentionStructure, headSize: number, random: Random): Component {
  const pairs = pairCount(headSize);
  const frequencies = Array.from(
    { length: pairs },
    () => random.normal() / structure.bandWidthTokens,
  );
  const scale = 1 / Math.sqrt(pairs);
  const features = (position: number, add: (dim: number, value: number) => void) =>
    frequencies.forEach((frequency, i) => {
      add(2 * i, scale * Math.cos(frequency * position));
      add(2 * i + 1, scale * Math.sin(frequency * position));
    });
  return { strength: structure.bandStrength, addQuery: features, addKey: features };
}

/** Induction stripes: the key after the previous occurrence, at every multiple of the period. */
function inductionComponent(structure: AttentionStructure, headSize: number): Component {
  const pairs = pairCount(headSize);
  const offset = 2 * pairs;
  const scale = 1 / Math.sqrt(pairs);
  const features =
    (shift: number) => (position: number, add: (dim: number, value: number) => void) => {
      for (let i = 0; i < pairs; i++) {
        const angle =
          (2 * Math.PI * (i + 1) * (position + shift)) / structure.inductionPeriodTokens;
        add(offset + 2 * i, scale * Math.cos(angle));
        add(offset + 2 * i + 1, scale * Math.sin(angle));
      }
    };
  return {
    strength: structure.inductionStrength,
    addQuery: features(1),
    addKey: features(0),
  };
}

/** Sinks: every query leans to the first keys, as trained models do. */
function sinkComponent(structure: AttentionStructure, headSize: number): Component {
  const dim = 4 * pairCount(headSize);
  return {
    strength: structure.sinkStrength,
    addQuery: (_, add) => add(dim, 1),
    addKey: (position, add) => {
      if (position < structure.sinkTokens) add(dim, 1);
    },
  };
}

/** Rows that ask for one needle; the last row asks for all of them. */
const ASKING_ROWS = 8;

/** Needles: single keys that a few later queries look for, each along its own dimension. */
function needleComponents(
  structure: AttentionStructure,
  shape: AttentionShape,
  random: Random,
): Component[] {
  const first = 4 * pairCount(shape.headSize) + 1;
  return Array.from({ length: structure.needleCount }, (_, needle) => {
    const key = random.integer(0, shape.keys - 1);
    const asked = random.integer(key, shape.keys - 1);
    return {
      strength: structure.needleStrength,
      addQuery: (position, add) => {
        const isAsking = position >= asked && position < asked + ASKING_ROWS;
        if (isAsking || position === shape.keys - 1) add(first + needle, 1);
      },
      addKey: (position, add) => {
        if (position === key) add(first + needle, 1);
      },
    };
  });
}

/** Numbers made between two yields: a few milliseconds. */
const STEP_VALUES = 2 ** 15;
/** Rows that get a component between two yields. */
const STEP_ROWS = 2 ** 11;

function* normals(
  length: number,
  random: Random,
  [from, to]: readonly [number, number],
): Generator<number, Float32Array> {
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    values[i] = random.normal();
    if (i % STEP_VALUES === STEP_VALUES - 1) yield from + ((to - from) * i) / length;
  }
  return values;
}

/**
 * Seeded Q, K and V. Without structure they are i.i.d. standard normal, so scaled scores are about
 * N(0, 1). Each component then adds feature vectors of equal norm to queries and keys, such that
 * the scaled score q.k / sqrt(headSize) rises by `strength` logits at the component's peak. Head 0
 * has the strengths as given; the others scale each by a seeded factor in [0.5, 1.5], so that heads
 * differ. Components share dimensions where the head has fewer than they want (below about 64 with
 * several needles), and then overlap.
 *
 * Yields the share done every few milliseconds.
 *
 * @returns query [batch, queryHeads, queries, headSize], key and value [batch, kvHeads, keys, headSize]
 */
export function* inputSteps(params: AttentionParams): Generator<number, AttentionInputs> {
  const { shape, structure } = params;
  const { source } = params.inputs;
  if (source !== 'synthetic') throw new Error(`the inputs come from a ${source}, not a seed`);
  const { batch, queryHeads, kvHeads, queries, keys, headSize } = shape;
  const random = createRandom(params.seed);
  const query = yield* normals(
    batch * queryHeads * queries * headSize,
    random.fork('query'),
    [0, 0.4],
  );
  const keyLength = batch * kvHeads * keys * headSize;
  const key = yield* normals(keyLength, random.fork('key'), [0.4, 0.6]);
  const value = yield* normals(keyLength, random.fork('value'), [0.6, 0.8]);

  const all = [
    bandComponent(structure, headSize, random.fork('band')),
    inductionComponent(structure, headSize),
    sinkComponent(structure, headSize),
    ...needleComponents(structure, shape, random.fork('needles')),
  ];
  const factors = random.fork('heads');
  const headFactors = Array.from({ length: queryHeads }, (_, h) =>
    all.map(() => (h === 0 ? 1 : 0.5 + factors.uniform())),
  );

  for (const [c, component] of all.entries()) {
    if (component.strength === 0) continue;
    const done = 0.8 + (0.2 * c) / all.length;
    const norm = Math.sqrt(component.strength * Math.sqrt(headSize));
    for (let b = 0; b < batch; b++) {
      for (let h = 0; h < queryHeads; h++) {
        const factor = norm * (headFactors[h]?.[c] ?? 1);
        for (let q = 0; q < queries; q++) {
          if (q % STEP_ROWS === STEP_ROWS - 1) yield done;
          const offset = ((b * queryHeads + h) * queries + q) * headSize;
          component.addQuery(queryPosition(shape, q), (dim, x) => {
            const at = offset + (dim % headSize);
            query[at] = (query[at] ?? 0) + factor * x;
          });
        }
      }
      for (let h = 0; h < kvHeads; h++) {
        for (let k = 0; k < keys; k++) {
          if (k % STEP_ROWS === STEP_ROWS - 1) yield done;
          const offset = ((b * kvHeads + h) * keys + k) * headSize;
          component.addKey(k, (dim, x) => {
            const at = offset + (dim % headSize);
            key[at] = (key[at] ?? 0) + norm * x;
          });
        }
      }
    }
  }
  return { shape, query, key, value, program: makeProgram(params) };
}

/** `inputSteps` run to the end. */
export function makeInputs(params: AttentionParams): AttentionInputs {
  return runSteps(inputSteps(params));
}

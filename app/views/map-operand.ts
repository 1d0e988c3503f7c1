import type { AttentionResult } from '../../lib/attention/types';
import { type WeightCall, weightShape } from '../../lib/attention/weights/call';
import { prefixKeys, whyNoWeights } from '../../lib/attention/weights/recurrent-weights';
import type { Session } from '../../lib/run/session-types';
import type { AttentionParams } from '../../lib/spec/kinds/attention';
import type { MapParams } from '../../lib/spec/kinds/views';
import { type BlockWords, KERNEL_BLOCKS } from '../../lib/views/map/block-words';
import type { LabelOf } from '../../lib/views/map/reading';
import type { ViewInput } from '../../lib/views/view-input';
import { provenanceLabel } from '../parts/provenance-line';
import type { MapHead } from './use-map-data';

/** What only attention cells have: blocks, formulas, tokens. */
export interface AttentionOperand {
  readonly params: AttentionParams;
  readonly engine: AttentionResult['engine'];
  readonly blockList: AttentionResult['blockList'];
  readonly selection: AttentionResult['selection'];
  /** Token of every key, where its file names them. */
  readonly tokens: readonly string[] | undefined;
}

/** A cell with its result, or a head of a cache, as a matrix of weights per head and batch entry. */
export interface MapOperand {
  readonly id: string;
  readonly queries: number;
  readonly keys: number;
  readonly heads: number;
  readonly batches: number;
  /** Weights of either sign, which are no probabilities. */
  readonly isSigned: boolean;
  /** What it is a map of, to begin a name with. */
  readonly subject: string;
  /** How to read the map, where it is not plain attention. */
  readonly note: string | undefined;
  /** Where the tensors come from. */
  readonly origin: string;
  readonly attention: AttentionOperand | undefined;
  /** How the blocks that can be outlined are called; absent where there are none. */
  readonly words?: BlockWords;
  /** What an element is, where that is more than its block says. */
  readonly stateOf?: (query: number, key: number) => string;
  /** Along the axes where no attention cell's file names them: the token of every key. */
  readonly tokens?: readonly string[];
  /** Of other cells: what is known of a row and of a column. */
  readonly labelOf: LabelOf | undefined;
  readonly source: MapHead['source'];
  /** Changes with the result. */
  readonly resultKey: string;
  readonly provenanceLabel: string;
}

/** Why a cell's result has no map, or undefined where it has one or is not there yet. */
export function whyNoMap({ id, result }: ViewInput): string | undefined {
  if (result?.output.kind !== 'recurrent') return undefined;
  const why = whyNoWeights(result.output.value.params.rule);
  return why && `no map of ${id}: ${why}`;
}

/** The values of a map, or of a difference, are probabilities: none is above 1. */
export function isProbability(first: MapOperand, second: MapOperand | undefined): boolean {
  return !first.isSigned && second?.isSigned !== true;
}

export function headOf(
  { source, resultKey, queries, keys }: MapOperand,
  batch: number,
  head: number,
): MapHead {
  return { source, resultKey, batch, head, queries, keys };
}

/** An input as an operand; undefined until it has a result. */
export function operandOf(
  input: ViewInput,
  mapId: string,
  params: Pick<MapParams, 'mass' | 'storage'>,
  session: Session,
): MapOperand | undefined {
  const { result } = input;
  if (result === undefined) return undefined;
  if (result.output.kind === 'attention') return attentionOperand(input, mapId, params, session);
  const call = callOf(result.output, params.storage);
  if (call === undefined) return undefined;
  const { queries, keys, heads, batches } = weightShape(call);
  const { storage = 0, ...words } = wordsOf(call);
  return {
    id: storage === 0 ? input.id : `${input.id}, ${storageName(call, storage)}`,
    queries,
    keys,
    heads,
    batches,
    ...words,
    origin: `seed ${call.params.seed}`,
    attention: undefined,
    source: session.mapSource(input.id).lane(`${mapId} ${storage}`, { storage }),
    resultKey: `${input.id} ${result.provenance.specHash} ${storage}`,
    provenanceLabel: provenanceLabel(result.provenance),
  };
}

function attentionOperand(
  { id, result }: ViewInput,
  mapId: string,
  { mass }: Pick<MapParams, 'mass'>,
  session: Session,
): MapOperand | undefined {
  if (result?.output.kind !== 'attention') return undefined;
  const { params, engine, blockList, selection, tokens } = result.output.value;
  const { queries, keys, queryHeads, batch } = params.shape;
  const isUnselected = mass === 'all' && params.select.type !== 'none';
  const { inputs, seed } = params;
  return {
    id,
    queries,
    keys,
    heads: queryHeads,
    batches: batch,
    isSigned: false,
    subject: 'Attention map',
    note: undefined,
    origin:
      inputs.source === 'file'
        ? inputs.fileName
        : inputs.source === 'model'
          ? `layer ${inputs.layer} on ${inputs.text}, seed ${seed}`
          : `seed ${seed}`,
    attention: { params, engine, blockList, selection, tokens },
    words: KERNEL_BLOCKS,
    labelOf: undefined,
    // Other maps may read the same cell.
    source: session.mapSource(id).lane(mapId, { isUnselected }),
    resultKey: `${id} ${result.provenance.specHash}${isUnselected ? ' unselected' : ''}`,
    provenanceLabel: provenanceLabel(result.provenance),
  };
}

type Output = NonNullable<ViewInput['result']>['output'];

/** Gates are the worker's matter: the session knows those of the result. */
function callOf(output: Output, storage: number): WeightCall | undefined {
  switch (output.kind) {
    case 'compose':
      return { kind: 'compose', params: output.value.params, gates: undefined };
    case 'recurrent':
      return { kind: 'recurrent', params: output.value.params };
    case 'decode': {
      const { params } = output.value;
      return { kind: 'decode', params, storage: Math.min(storage, params.storages.length) };
    }
    default:
      return undefined;
  }
}

export function storageName({ kind, params }: WeightCall, storage: number): string {
  return (kind === 'decode' && params.storages[storage - 1]?.name) || 'as made';
}

type Words = Pick<MapOperand, 'isSigned' | 'subject' | 'note' | 'labelOf'> & {
  readonly storage?: number;
};

const nothing = () => '';

function wordsOf(call: WeightCall): Words {
  switch (call.kind) {
    case 'compose': {
      const { rule, parts, sink } = call.params;
      const isSigned = rule.type === 'difference';
      return {
        isSigned,
        subject: 'Composed attention map',
        note: [
          COMPOSE_NOTES[rule.type],
          ...(sink.type === 'none' || parts.length === 0 ? [] : [SINK_NOTE]),
        ].join(' '),
        labelOf: { query: nothing, key: nothing },
      };
    }
    case 'decode': {
      const { queries, queryHeads } = call.params.shape;
      return {
        isSigned: false,
        storage: call.storage,
        subject: 'Decode attention map',
        note: `Rows are the ${queryHeads} heads${queries > 1 ? `, ${queries} queries each` : ''}; keys past the end of a sequence are masked. What values are stored in does not change the map.`,
        labelOf: {
          query: (row) =>
            `head ${Math.floor(row / queries)}${queries > 1 ? `, query ${row % queries}` : ''}`,
          key: nothing,
        },
      };
    }
    case 'recurrent': {
      const prefix = prefixKeys(call.params.rule);
      return {
        isSigned: true,
        subject: 'Map of the recurrence',
        note: `What the recurrence amounts to: how much of the value of token s (column) the output of token t (row) holds, after the convolution and the feature map. Nothing of it is stored.${RECURRENT_NOTES[call.params.rule.type] ?? ''}${prefix > 0 ? ` The first ${prefix} columns are the prefix, read without causality.` : ''}`,
        labelOf: {
          query: nothing,
          key: (key) => (prefix === 0 ? '' : key < prefix ? 'prefix' : `token ${key - prefix}`),
        },
      };
    }
  }
}

const COMPOSE_NOTES = {
  merge: 'Probabilities of all parts under their merged log-sum-exp.',
  gate: 'Gate x first part + (1 - gate) x second part; a part whose gate is closed is masked.',
  difference: 'The first softmax minus lambda times the second: weights may be below 0.',
  latent: 'Probabilities of latent attention; the absorbed and the expanded form have the same.',
} as const;

const SINK_NOTE = 'The sink takes its share, so that rows sum to less.';

const RECURRENT_NOTES: Readonly<Record<string, string>> = {
  mom: ' Weights of the memories that both tokens are routed to are added, though each memory keeps values of its own; where there is none, the element is masked.',
};

import './zod-config';
import * as z from 'zod';
import { attentionParams } from './kinds/attention';
import { cacheParams } from './kinds/cache';
import { checkParams } from './kinds/check';
import { composeParams } from './kinds/compose';
import { decodeParams } from './kinds/decode';
import { modelParams } from './kinds/model';
import { planParams } from './kinds/plan';
import { recallGapParams } from './kinds/recall-gap';
import { recurrentParams } from './kinds/recurrent';
import { serveParams } from './kinds/serve';
import { speculateParams } from './kinds/speculate';
import { sweepParams } from './kinds/sweep';
import { textParams } from './kinds/text';
import { compareParams, mapParams, plotParams, tableParams, timelineParams } from './kinds/views';
import { workloadParams } from './kinds/workload';

/** Version of the document. Additive-with-default changes keep it; anything else bumps it and brings an upgrader. */
export const NOTEBOOK_VERSION = 1;
export const NOTEBOOK_FORMAT = 'headroom/notebook';
export const MAX_CELLS = 200;
export const MAX_INPUTS = 16;

export const cellId = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, {
  error: 'expected a lower-case letter, then up to 31 of a-z, 0-9 and -',
});

const cell = <K extends string, P extends z.ZodType>(kind: K, params: P) =>
  z.strictObject({
    id: cellId,
    kind: z.literal(kind),
    inputs: z.array(cellId).max(MAX_INPUTS).default([]),
    params,
  });

export const cellSchemas = {
  text: cell('text', textParams.prefault({})),
  attention: cell('attention', attentionParams.prefault({})),
  compose: cell('compose', composeParams.prefault({})),
  recurrent: cell('recurrent', recurrentParams.prefault({})),
  decode: cell('decode', decodeParams.prefault({})),
  model: cell('model', modelParams.prefault({})),
  cache: cell('cache', cacheParams.prefault({})),
  'recall-gap': cell('recall-gap', recallGapParams.prefault({})),
  speculate: cell('speculate', speculateParams.prefault({})),
  workload: cell('workload', workloadParams.prefault({})),
  serve: cell('serve', serveParams.prefault({})),
  sweep: cell('sweep', sweepParams.prefault({})),
  check: cell('check', checkParams.prefault({})),
  plan: cell('plan', planParams.prefault({})),
  map: cell('map', mapParams.prefault({})),
  timeline: cell('timeline', timelineParams.prefault({})),
  plot: cell('plot', plotParams.prefault({})),
  compare: cell('compare', compareParams.prefault({})),
  table: cell('table', tableParams.prefault({})),
} as const;

export const CELL_KINDS = Object.keys(cellSchemas) as CellKind[];
export type CellKind = keyof typeof cellSchemas;
export type CellOf<K extends CellKind> = z.output<(typeof cellSchemas)[K]>;
export type Cell = { [K in CellKind]: CellOf<K> }[CellKind];

export const cellSchema = z.discriminatedUnion('kind', [
  cellSchemas.text,
  cellSchemas.attention,
  cellSchemas.compose,
  cellSchemas.recurrent,
  cellSchemas.decode,
  cellSchemas.model,
  cellSchemas.cache,
  cellSchemas['recall-gap'],
  cellSchemas.speculate,
  cellSchemas.workload,
  cellSchemas.serve,
  cellSchemas.sweep,
  cellSchemas.check,
  cellSchemas.plan,
  cellSchemas.map,
  cellSchemas.timeline,
  cellSchemas.plot,
  cellSchemas.compare,
  cellSchemas.table,
]);

/** Kinds that each kind accepts as inputs, and how many: [least, most]. */
export const INPUT_RULES: Record<
  CellKind,
  { kinds: readonly CellKind[]; count: readonly [number, number] }
> = {
  text: { kinds: [], count: [0, 0] },
  attention: { kinds: [], count: [0, 0] },
  compose: { kinds: [], count: [0, 0] },
  recurrent: { kinds: [], count: [0, 0] },
  decode: { kinds: [], count: [0, 0] },
  model: { kinds: [], count: [0, 0] },
  cache: { kinds: ['model'], count: [0, 1] },
  'recall-gap': { kinds: [], count: [0, 0] },
  speculate: { kinds: ['model'], count: [0, 1] },
  workload: { kinds: [], count: [0, 0] },
  serve: { kinds: ['workload'], count: [1, 1] },
  map: { kinds: ['attention', 'compose', 'recurrent', 'decode', 'cache'], count: [1, 2] },
  sweep: { kinds: ['serve'], count: [1, 1] },
  check: { kinds: [], count: [0, 0] },
  plan: { kinds: ['serve'], count: [1, 1] },
  timeline: { kinds: ['serve'], count: [1, 8] },
  plot: {
    kinds: ['serve', 'attention', 'sweep', 'compose', 'recurrent', 'decode'],
    count: [1, 8],
  },
  table: {
    kinds: ['serve', 'attention', 'workload', 'compose', 'recurrent', 'decode'],
    count: [1, 16],
  },
  compare: { kinds: ['serve'], count: [2, 2] },
};

export const notebookSchema = z.strictObject({
  format: z.literal(NOTEBOOK_FORMAT).default(NOTEBOOK_FORMAT),
  version: z.literal(NOTEBOOK_VERSION).default(NOTEBOOK_VERSION),
  title: z.string().max(200).default('Untitled notebook'),
  cells: z.array(cellSchema).max(MAX_CELLS).default([]),
});
export type Notebook = z.output<typeof notebookSchema>;

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { callInputs } from '../../../lib/gpu/call-inputs';
import { recallModel } from '../../../lib/gpu/model-inputs';
import { selectKeys } from '../../../lib/gpu/select-keys';
import { attentionParams } from '../../../lib/spec/kinds/attention';
import { attentionSelection } from '../../../lib/spec/kinds/selection';
import { RECALL_SHAPE } from '../../../lib/transformer/recall';

const ROOT = new URL('../../..', import.meta.url).pathname;
const REPORT = `${ROOT}test-results/bench-selection.json`;
const MODEL_TOKENS = 1024;

const USAGE = `usage: npm run bench:selection [-- --tokens 2048] [--methods quest,moba]
every selection with its defaults on structured heads: density, mass recall, error of the output
relative to dense attention, time and work of selecting`;

const { values } = parseArgs({
  options: {
    tokens: { type: 'string', default: '2048' },
    methods: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const tokens = Number(values.tokens);
const types = attentionSelection.options.map(({ shape }) => shape.type.value);
const methods =
  values.methods?.split(',') ??
  types.filter((type) => !['none', 'composed', 'choice'].includes(type));
const isWrong = methods.some((name) => !types.some((type) => type === name));
if (values.help || isWrong || !Number.isInteger(tokens) || tokens < 256 || tokens > 16_384) {
  console.error(`${USAGE}\nmethods: ${types.join(', ')}; tokens: 256..16384`);
  process.exit(values.help ? 0 : 2);
}

const plain = { bandStrength: 0, sinkStrength: 0, needleStrength: 0, inductionStrength: 0 };
const synthetic = (structure: object) => ({
  shape: { queryHeads: 2, kvHeads: 1, queries: tokens, keys: tokens, headSize: 64 },
  structure: { ...plain, ...structure },
  inputs: { source: 'synthetic' },
});
/** What heads of trained models are made of, one at a time, then nothing, then the shipped model. */
const INPUTS = {
  'band and sinks': synthetic({ bandStrength: 6, sinkStrength: 5 }),
  needles: synthetic({ sinkStrength: 4, needleStrength: 12 }),
  induction: synthetic({ sinkStrength: 4, inductionStrength: 8 }),
  'no structure': synthetic({}),
  'recall model, layer 2': {
    shape: {
      queryHeads: RECALL_SHAPE.heads,
      kvHeads: RECALL_SHAPE.kvHeads,
      queries: MODEL_TOKENS,
      keys: MODEL_TOKENS,
      headSize: RECALL_SHAPE.headSize,
    },
    inputs: { source: 'model', layer: 2, text: 'facts', textTokens: MODEL_TOKENS },
  },
};

const model = recallModel(
  async (name) => new Blob([readFileSync(`${ROOT}public/models/recall/${name}`)]),
);
const { signal } = new AbortController();
const quiet = () => undefined;
const mean = (numbers: readonly number[]) =>
  numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

const samples = [];
for (const [name, rest] of Object.entries(INPUTS)) {
  console.log(`\n${name}, ${rest.shape.queries} tokens, causal; mean over heads`);
  for (const type of methods) {
    const params = attentionParams.parse({
      ...rest,
      variant: { type: 'causal' },
      select: { type },
    });
    const { inputs } = await callInputs({ kind: 'attention', params }, signal, quiet, model);
    // The first call compiles what it runs through.
    await selectKeys(params, inputs, signal, quiet);
    const { selection } = await selectKeys(params, inputs, signal, quiet);
    if (selection === undefined) throw new Error(`${type} selected nothing`);
    const sample = {
      inputs: name,
      method: type,
      params: params.select,
      density: mean(selection.heads.map(({ density }) => density)),
      massRecall: mean(selection.heads.map(({ massRecall }) => massRecall)),
      outputError: mean(selection.heads.map(({ outputError }) => outputError)),
      selectionMillisecondsPerHead: (1000 * selection.seconds) / params.shape.queryHeads,
      /** Of the dense scores of a head, which selecting is to cost less than. */
      flopsOverScores:
        selection.flops /
        params.shape.queryHeads /
        (params.shape.queries * params.shape.keys * params.shape.headSize),
    };
    samples.push(sample);
    console.log(
      `${type.padEnd(15)} density ${sample.density.toFixed(3)}  mass ${sample.massRecall.toFixed(3)}  error ${sample.outputError.toFixed(3)}  selecting ${sample.selectionMillisecondsPerHead.toFixed(1).padStart(6)} ms a head, ${(100 * sample.flopsOverScores).toFixed(1).padStart(5)} % of the causal scores' work`,
    );
  }
}
mkdirSync(`${ROOT}test-results`, { recursive: true });
writeFileSync(REPORT, `${JSON.stringify({ tokens, samples }, undefined, 1)}\n`);
console.log(`report: ${REPORT}`);

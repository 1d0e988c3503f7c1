import { describe, expect, it } from 'vitest';
import { simulate } from '../../../lib/serving/core/simulation';
import { makeCostModel } from '../../../lib/serving/cost/make-cost-model';
import { formatIssue } from '../../../lib/spec/issues';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { workloadParams } from '../../../lib/spec/kinds/workload';
import { parseNotebook } from '../../../lib/spec/validate';
import { createWorkloadParser } from '../../../lib/workload/trace';
import { type Row, workloadOf } from './arbitrary-composed';

/** What a document says of a serve cell, or of its load. */
function issuesOf(serve: object, load: object = {}): readonly string[] {
  const cells = [
    { id: 'load', kind: 'workload', inputs: [], params: load },
    { id: 'a', kind: 'serve', inputs: ['load'], params: serve },
  ];
  const parsed = parseNotebook({ format: 'headroom/notebook', version: 1, title: '', cells });
  return parsed.ok ? [] : parsed.issues.map(formatIssue);
}
const pools = (more: object) => ({
  strategy: { type: 'composed', topology: { type: 'pools', ...more } },
});

function run(params: object, rows: readonly Row[]) {
  const parsed = serveParams.parse(params);
  return simulate(parsed, workloadOf(rows), makeCostModel(parsed));
}
const ENGINES: readonly (readonly [string, object])[] = [
  ['vllm', { type: 'vllm' }],
  ['vllm-v1', { type: 'vllm-v1' }],
  ['sarathi', { type: 'sarathi' }],
  ['distserve', { type: 'distserve' }],
  ['general', { type: 'composed', prefixIndex: { type: 'radix' } }],
];

describe('a document that asks for the absurd is refused with a reason', () => {
  it.each([
    [
      { strategy: { type: 'vllm', replicas: 0 } },
      'invalid replicas: 0 (expected 1..64: without a replica nothing is served) at cells[1].params.strategy.replicas',
    ],
    [
      { strategy: { type: 'composed', topology: { type: 'colocated', replicas: -2 } } },
      'invalid replicas: -2 (expected 1..256: without a replica nothing is served) at cells[1].params.strategy.topology.replicas',
    ],
    [
      pools({ prefillReplicas: 0 }),
      'invalid prefillReplicas: 0 (expected 1..64: without one no prompt is computed) at cells[1].params.strategy.topology.prefillReplicas',
    ],
    [
      pools({ linkGigabytesPerSecond: 0 }),
      'invalid linkGigabytesPerSecond: 0 (expected 0.001..10000: over it no KV would ever arrive) at cells[1].params.strategy.topology.linkGigabytesPerSecond',
    ],
    [
      { slo: { ttftSeconds: 0 } },
      'invalid ttftSeconds: 0 (expected 0.001..3600: no token comes in no time) at cells[1].params.slo.ttftSeconds',
    ],
    [
      { memory: { kvBlocks: -5 } },
      'invalid kvBlocks: -5 (expected 0..10000000) at cells[1].params.memory.kvBlocks',
    ],
    [
      { memory: { blockTokens: -16 } },
      'invalid blockTokens: -16 (expected 1..256: a block without tokens holds nothing) at cells[1].params.memory.blockTokens',
    ],
    [
      { strategy: { type: 'sarathi', tokenBudget: -1 } },
      'invalid tokenBudget: -1 (expected 1..8192) at cells[1].params.strategy.tokenBudget',
    ],
  ])('%o', (params, sentence) => {
    expect(issuesOf(params)).toEqual([sentence]);
  });

  it('a load at no rate, of no requests', () => {
    expect(issuesOf({}, { source: { type: 'generator', requests: 0, ratePerSecond: -3 } })).toEqual(
      [
        'invalid ratePerSecond: -3 (expected 0.001..10000: at such a rate no request would come) at cells[0].params.source.ratePerSecond',
        'invalid requests: 0 (expected 1..2000000) at cells[0].params.source.requests',
      ],
    );
  });
});

describe('a trace without anything in it, or with what cannot be', () => {
  const header = 'arrival_s,prompt_tokens,output_tokens\n';
  it.each([
    ['', 'the file is empty'],
    [header, 'the file has a header and no rows'],
    [`${header}0,-3,4\n`, 'line 2: invalid prompt_tokens: "-3" (expected an integer from 1)'],
    [`${header}0,0,4\n`, 'line 2: invalid prompt_tokens: "0" (expected an integer from 1)'],
    [`${header}-1,3,4\n`, 'line 2: invalid arrival_s: "-1" (expected seconds from 0)'],
  ])('%j', (text, sentence) => {
    const params = workloadParams.parse({ source: { type: 'trace' } });
    if (params.source.type !== 'trace') throw new Error('unreachable');
    const parser = createWorkloadParser(params, params.source);
    expect(() => {
      parser.push(text);
      parser.finish();
    }).toThrow(sentence);
  });
});

describe.each(ENGINES)('%s', (_, strategy) => {
  it('refuses a prompt that can never fit, and serves the others', () => {
    const { metrics, notes } = run({ strategy, memory: { kvBlocks: 20 } }, [
      [0, 5000, 5, 0],
      [0.1, 64, 5, 0],
    ]);
    expect([metrics.completed, metrics.refused]).toEqual([1, 1]);
    expect(notes.join()).toContain(
      '1 requests can never fit in 20 KV blocks and were refused on arrival',
    );
  });

  it('has nothing to do without requests, and says so', () => {
    const { metrics, notes } = run({ strategy }, []);
    expect(metrics.completed).toBe(0);
    expect(notes).toContain('the workload has no requests: nothing was run');
  });

  it('says that nothing ended before the horizon', () => {
    const { notes } = run({ strategy, horizonSeconds: 1 }, [[0.9, 60_000, 900, 0]]);
    expect(notes).toContain(
      'no request ended within the horizon of 1 s: raise horizonSeconds, or look for what is too slow',
    );
  });

  it('says that nobody met an SLO that nobody can meet', () => {
    const { metrics, notes } = run({ strategy, slo: { ttftSeconds: 0.001 } }, [[0, 4000, 9, 0]]);
    expect(metrics.goodputPerSecond).toBe(0);
    expect(notes.join()).toMatch(
      /no request met the SLO: the fastest first token came after 0\.\d+ s, and 0\.001 s are asked for/,
    );
  });

  it('says why a model without room for any KV does not run', () => {
    expect(() => run({ strategy, memory: { utilization: 0.05 } }, [[0, 64, 5, 0]])).toThrow(
      /^Llama 3.1 8B does not fit: weights need 15.0 GiB per accelerator, above 4.0 GiB/,
    );
  });
});

describe('parallelism that a model does not have', () => {
  const one: readonly Row[] = [[0, 640, 3, 0]];
  it.each([
    [{ tensorParallel: 3 }, 'tensorParallel: 3 (Llama 3.1 8B has 32 query heads and 8 KV heads'],
    [{ tensorParallel: 5, model: 'qwen2.5-14b' }, 'expected 1, 2, 4, 8)'],
    [{ tensorParallel: 3, strategy: { type: 'vllm-v1' } }, 'cannot share evenly: expected 1, 2, 4'],
    [pools({ decodeTensorParallel: 6 }), 'invalid tensorParallel: 6 '],
  ])('%o is refused with the degrees that it has', (params, sentence) => {
    expect(() => run(params, one)).toThrow(sentence);
  });

  it('KV heads may be copied, to as many accelerators each', () => {
    expect(run({ tensorParallel: 16 }, one).metrics.completed).toBe(1);
  });
});

it('a link that is all but cut makes requests late and loses none', () => {
  const { metrics, notes } = run(pools({ linkGigabytesPerSecond: 0.001 }), [[0, 640, 3, 0]]);
  expect(metrics.completed).toBe(1);
  // 640 tokens of 131,072 bytes each, at a megabyte a second.
  expect(metrics.e2eSeconds.max).toBeGreaterThan(83);
  expect(notes).toContain('no request met the SLO: look at its time per token');
});

import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createRandom } from '../../../lib/random/random';
import type { OpTableFiles } from '../../../lib/serving/cost/op-tables/files';

export interface MadeUpRow {
  readonly arrival: number;
  readonly prompt: number;
  readonly output: number;
}

/** A load that queues: 24 requests in 1.2 seconds. */
export function madeUpRows(): readonly MadeUpRow[] {
  const random = createRandom(7);
  return Array.from({ length: 24 }, (_, i) => ({
    arrival: i * 0.05,
    prompt: random.integer(20, 400),
    output: random.integer(2, 40),
  }));
}

export const MADE_UP_META = {
  model: 'made-up/Llama-3.1-8B',
  vllm_version: '0.19.0',
  engine_kwargs: {
    tensor_parallel_size: 1,
    max_num_seqs: 8,
    max_num_batched_tokens: 256,
    enable_prefix_caching: true,
  },
  num_gpu_blocks: 301,
};

/** Writes files below a new folder and returns its path. */
export function writeFolder(files: OpTableFiles): string {
  const folder = mkdtempSync(join(tmpdir(), 'headroom-'));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

/**
 * The files of a run that took `slower` times as long as the given times, counted from arrival.
 * Stamps are monotonic seconds, 1000 ahead of the epoch's 5 million, as an engine writes them.
 */
export function madeUpRun(
  rows: readonly MadeUpRow[],
  times: { readonly first: ArrayLike<number>; readonly last: ArrayLike<number> },
  slower: number,
): OpTableFiles {
  const lines = rows.map(({ arrival, prompt, output }, i) => {
    const stamp = (seconds: number): number => 1000 + arrival + (seconds - arrival) * slower;
    return JSON.stringify({
      request_id: `made-up-${i}`,
      input_toks: prompt,
      output_toks: output,
      arrival_time: 5e6 + arrival,
      queued_ts: 1000 + arrival,
      first_token_ts: stamp(times.first[i] as number),
      last_token_ts: stamp(times.last[i] as number),
    });
  });
  return { 'meta.json': JSON.stringify(MADE_UP_META), 'requests.jsonl': `${lines.join('\n')}\n` };
}

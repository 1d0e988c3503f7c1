import { createRandom } from '../../../lib/random/random';
import { simulate } from '../../../lib/serving/core/simulation';
import { profileCostModel } from '../../../lib/serving/cost/profile';
import { type ServeParams, serveParams } from '../../../lib/spec/kinds/serve';
import { type IterationProfile, serveProfile } from '../../../lib/spec/kinds/serve-profile';

/** The engine of a made-up log: one replica that has room for everything. */
export const LOG_ENGINE: ServeParams = serveParams.parse({
  strategy: { type: 'vllm-v1', maxBatchedTokens: 512, maxSequences: 32 },
  memory: { kvBlocks: 10_000 },
  horizonSeconds: 1e7,
});

/** Costs of an iteration, microseconds: base, prefill token, pair, decode, context token. */
export function iterationProfile(
  costs: readonly [number, number, number, number, number],
): IterationProfile {
  const [base, token, pair, decode, context] = costs;
  return serveProfile.parse({
    law: 'iteration',
    baseMicroseconds: base,
    perPrefillTokenMicroseconds: token,
    perPairMicroseconds: pair,
    perDecodeMicroseconds: decode,
    perDecodeContextTokenMicroseconds: context,
  }) as IterationProfile;
}

/** JSON lines of requests that the simulator served at these costs, queueing now and then. */
export function madeUpLog(profile: IterationProfile, requests: number, seed: number): string {
  const random = createRandom(seed);
  let at = 0;
  const arrivalSeconds = Float64Array.from({ length: requests }, () => {
    at += random.exponential() * 0.12;
    return at;
  });
  const workload = {
    arrivalSeconds,
    promptTokens: Int32Array.from({ length: requests }, () => random.integer(16, 900)),
    outputTokens: Int32Array.from({ length: requests }, () => random.integer(2, 80)),
    label: 'made up',
    source: 'made up',
    seed,
    notes: [],
  };
  const { requests: served } = simulate(LOG_ENGINE, workload, profileCostModel(profile, 0));
  return Array.from(arrivalSeconds, (arrival, i) =>
    JSON.stringify({
      arrival_time: 1e6 + arrival,
      prompt_tokens: workload.promptTokens[i],
      output_tokens: workload.outputTokens[i],
      ttft: (served.firstTokenSeconds[i] as number) - arrival,
      latency: (served.completedSeconds[i] as number) - arrival,
    }),
  ).join('\n');
}

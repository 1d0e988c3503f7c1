import { createRandom } from '../../random/random';

export interface GatewayLoad {
  readonly instances: number;
  readonly ratePerSecond: number;
  /** Coefficient of variation of the gaps between arrivals. */
  readonly gapCv: number;
  readonly meanServiceSeconds: number;
  readonly deadlineSeconds: number;
  readonly requests: number;
}

export type Gateway =
  /** Shortest queue by reports of so long ago; a queue at each instance. */
  | { readonly type: 'reports'; readonly intervalSeconds: number }
  /** Asks an idle instance, retries until the deadline; no queue at the instances. */
  | { readonly type: 'reject-retry' };

/** Share of the requests whose prefill ends within the deadline. Prompts take log-normal times. */
export function gatewaySuccess(load: GatewayLoad, gateway: Gateway, seed: number): number {
  const random = createRandom(seed);
  const { instances, ratePerSecond, gapCv, meanServiceSeconds, deadlineSeconds, requests } = load;
  const shape = 1 / (gapCv * gapCv);
  const sigma = 1;
  let now = 0;
  const arrivals = Array.from({ length: requests }, () => {
    now += random.gamma(shape) / (shape * ratePerSecond);
    const service = meanServiceSeconds * Math.exp(sigma * random.normal() - (sigma * sigma) / 2);
    return { at: now, service };
  });
  const freeAt = new Float64Array(instances);
  if (gateway.type === 'reject-retry') {
    let inTime = 0;
    for (const { at, service } of arrivals) {
      let first = 0;
      for (let i = 1; i < instances; i++)
        if ((freeAt[i] as number) < (freeAt[first] as number)) first = i;
      const start = Math.max(at, freeAt[first] as number);
      // The gateway gives up at the deadline, and the instance never sees the request.
      if (start > at + deadlineSeconds) continue;
      freeAt[first] = start + service;
      if (start + service <= at + deadlineSeconds) inTime++;
    }
    return inTime / requests;
  }
  const reported = new Int32Array(instances);
  const ends: number[][] = Array.from({ length: instances }, () => []);
  let reportAt = 0;
  let inTime = 0;
  for (const { at, service } of arrivals) {
    if (at >= reportAt) {
      reportAt = Math.floor(at / gateway.intervalSeconds + 1) * gateway.intervalSeconds;
      const seenAt = reportAt - gateway.intervalSeconds;
      for (let i = 0; i < instances; i++) {
        ends[i] = (ends[i] as number[]).filter((end) => end > seenAt);
        reported[i] = (ends[i] as number[]).length;
      }
    }
    let chosen = random.integer(0, instances - 1);
    for (let i = 0; i < instances; i++)
      if ((reported[i] as number) < (reported[chosen] as number)) chosen = i;
    const end = Math.max(at, freeAt[chosen] as number) + service;
    freeAt[chosen] = end;
    (ends[chosen] as number[]).push(end);
    if (end <= at + deadlineSeconds) inTime++;
  }
  return inTime / requests;
}

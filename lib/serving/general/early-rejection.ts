import type { RejectionPart } from '../../spec/kinds/serve-parts';
import type { Estimator } from './estimator';
import type { Replica } from './replica';
import { queueSeconds } from './route-question';
import type { State } from './state';

/**
 * Whether no replica is predicted to keep the times for a request that is sent now: the first token
 * behind what is queued, and the iterations of the decodes it would join. With `predicted` those
 * that were accepted and do not decode yet count as if they did, which keeps acceptance from
 * swinging between too much and too little (Mooncake).
 */
export function rejectsEarly(
  part: RejectionPart,
  state: State,
  replicas: readonly Replica[],
  estimator: Estimator,
  decodeEstimator: Estimator,
): (id: number) => boolean {
  if (part.type !== 'early') return () => false;
  const prefilling = replicas.filter(({ role }) => role !== 'decode');
  const decoding = replicas.filter(({ role }) => role !== 'prefill');
  return (id) => {
    const prompt = state.requests.prefillTokens[id] as number;
    const ttft = (replica: Replica) => {
      const cached = replica.cache?.lookup(id).tokens ?? 0;
      return (
        queueSeconds(state, replica, estimator) + estimator.prefillSeconds(cached, prompt - cached)
      );
    };
    const accepted = prefilling.reduce((sum, { outstanding }) => sum + outstanding, 0);
    const tbt = (replica: Replica) => {
      const now = replica.decoding.length;
      const mean = now === 0 ? prompt : replica.contextTokens / now;
      const ahead =
        part.decodeLoad === 'now'
          ? now
          : replica.role === 'decode'
            ? replica.outstanding + accepted / decoding.length
            : replica.outstanding;
      return decodeEstimator.decodeSeconds(Math.ceil(ahead) + 1, Math.ceil(ahead) * mean + prompt);
    };
    const least = (list: readonly Replica[], time: (replica: Replica) => number) =>
      Math.min(...list.map(time));
    return least(prefilling, ttft) > part.ttftSeconds || least(decoding, tbt) > part.tbtSeconds;
  };
}

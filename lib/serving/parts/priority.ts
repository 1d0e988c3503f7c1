import { createRandom } from '../../random/random';
import type { PriorityPart } from '../../spec/kinds/serve-parts';
import { firstLimit, type RequestView } from './views';

/** Order of requests: the smallest key goes first. */
export interface Priority {
  /** Key of a waiting request, fixed while it waits; undefined where the queue itself is the order. */
  readonly waitingKey: ((id: number) => number) | undefined;
  /**
   * Key of a request at decode step 0: the key at a later step is `rank - decay x step`, so that the
   * order of those that decode together never changes.
   */
  readonly rank: (id: number, processed: number, step: number) => number;
  readonly decay: 0 | 1;
}

/** Output tokens as predicted: true ones x exp(error x a standard normal draw), at least 1. */
function predictedTotals(
  requests: RequestView,
  part: { readonly predictionError: number; readonly seed: number },
): Int32Array {
  if (part.predictionError === 0) return requests.totalTokens;
  const random = createRandom(part.seed).fork('prediction');
  // Prefill tokens grow with restarts: the prompt is what they are before the run.
  return requests.totalTokens.map((total, id) => {
    const prompt = requests.prefillTokens[id] as number;
    const output = (total - prompt) * Math.exp(part.predictionError * random.normal());
    return prompt + Math.max(1, Math.round(output));
  });
}

export function priority(part: PriorityPart, requests: RequestView): Priority {
  const { arrivalSeconds } = requests;
  const arrival = (id: number) => arrivalSeconds[id] as number;
  const fixed = (key: (id: number) => number): Priority => ({
    waitingKey: key,
    rank: key,
    decay: 0,
  });
  switch (part.type) {
    case 'fcfs':
    case 'vtc':
      return { waitingKey: undefined, rank: arrival, decay: 0 };
    case 'lcfs':
      return { waitingKey: undefined, rank: (id) => -arrival(id), decay: 0 };
    case 'sjf': {
      const prompts = requests.prefillTokens.slice();
      const totals = predictedTotals(requests, part);
      const length = {
        prompt: (id: number) => prompts[id] as number,
        output: (id: number) => (totals[id] as number) - (prompts[id] as number),
        total: (id: number) => totals[id] as number,
      }[part.by];
      // Precedence grows alike for all that wait, so the order is that of one fixed key.
      return fixed((id) => length(id) + part.agingTokensPerSecond * arrival(id));
    }
    case 'srpt': {
      const totals = predictedTotals(requests, part);
      return {
        waitingKey: (id) => totals[id] as number,
        rank: (id, processed, step) => (totals[id] as number) - processed + step,
        decay: 1,
      };
    }
    case 'program-fcfs': {
      const starts = requests.programStartSeconds ?? arrivalSeconds;
      return fixed((id) => starts[id] as number);
    }
    // The queue is the order (`liveQueue`): it changes while requests wait.
    case 'lpm':
    case 'hit-ratio':
    case 'las':
    case 'mlfq':
    case 's-edf':
    case 'density':
    case 'external':
    case 'fair-share':
      return { waitingKey: undefined, rank: arrival, decay: 0 };
    case 'edf': {
      const prompts = requests.prefillTokens.slice();
      const { limits } = requests;
      const computed = (id: number) =>
        part.baseSeconds + part.secondsPerPromptToken * (prompts[id] as number);
      const limitOf = (own: number, id: number) => (own === Infinity ? computed(id) : own);
      // Who runs has had its first token.
      return {
        waitingKey: (id) =>
          arrival(id) + limitOf(limits === undefined ? Infinity : firstLimit(limits, id), id),
        rank: (id) => arrival(id) + limitOf(limits?.lastTokenSeconds[id] ?? Infinity, id),
        decay: 0,
      };
    }
  }
}

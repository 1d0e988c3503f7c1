import type { Random } from '../../random/random';

/** One request of three kinds; those of one `group` are worth something only together. */
export interface SloRequest {
  readonly kind: 'latency' | 'deadline' | 'collective';
  readonly group: number;
  readonly arrivalSeconds: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  /** When the first token is due (Infinity where nobody waits for it), and when the last is. */
  readonly firstDueSeconds: number;
  readonly dueSeconds: number;
}

/** A server of so many seats: an iteration gives every seat a token. */
export interface SeatServer {
  readonly seats: number;
  readonly iterationSeconds: number;
  readonly iterationSecondsPerSeat: number;
  readonly promptTokensPerSecond: number;
  /** KV tokens a second to host memory or back, where a request loses its seat. */
  readonly swapTokensPerSecond: number;
  /** Iterations between two looks at the order. */
  readonly frameIterations: number;
}

/** A request as a policy sees it. */
export interface SloJob {
  readonly request: SloRequest;
  readonly peers: readonly SloJob[];
  done: number;
  isPrefilled: boolean;
  isRunning: boolean;
  isDropped: boolean;
  /** Predicted tokens left. */
  predictedLeft: number;
  predictedAt: number;
  firstAtSeconds: number;
  endSeconds: number;
}

export interface SloPolicy {
  /** The smallest goes first. */
  readonly key: (job: SloJob, nowSeconds: number, tokenSeconds: number) => number;
  /** Whether a better one takes the seat of one that runs; by how much better it must be. */
  readonly preempts: boolean;
  readonly advantage?: number;
  /** Whether a waiting request is given up when its time has passed. */
  readonly dropsLate?: boolean;
}

export interface SloOutcome {
  /** Tokens, prompt and output, of requests that met what they were due, per second of arrivals. */
  readonly goodTokensPerSecond: number;
  readonly metShare: number;
  /** Output tokens made while requests arrived, per second. */
  readonly outputTokensPerSecond: number;
}

/** Tokens between two predictions of a length. */
const PREDICT_EVERY = 50;

export const fullIterationSeconds = (server: SeatServer): number =>
  server.iterationSeconds + server.seats * server.iterationSecondsPerSeat;

/** Requests a second that keep all seats taken. */
export function saturation(requests: readonly SloRequest[], server: SeatServer): number {
  const seatSeconds = fullIterationSeconds(server) / server.seats;
  const work = requests.reduce(
    (sum, { promptTokens, outputTokens }) =>
      sum + promptTokens / server.promptTokensPerSecond + outputTokens * seatSeconds,
    0,
  );
  return requests.length / work;
}

/**
 * Serves all requests. In every frame the first of the order take the seats; a prompt that enters and
 * KV that is swapped hold up all. `noise` is the standard deviation of the logarithm of predicted over
 * true tokens left, drawn anew every `PREDICT_EVERY` tokens.
 */
export function serveSlo(
  requests: readonly SloRequest[],
  server: SeatServer,
  policy: SloPolicy,
  noise: number,
  random: Random,
): SloOutcome {
  const groups = new Map<number, SloJob[]>();
  const jobs = requests.map((request) => {
    const peers = groups.get(request.group) ?? [];
    groups.set(request.group, peers);
    const job: SloJob = {
      request,
      peers,
      done: 0,
      isPrefilled: false,
      isRunning: false,
      isDropped: false,
      predictedLeft: request.outputTokens * Math.exp(noise * random.normal()),
      predictedAt: 0,
      firstAtSeconds: Infinity,
      endSeconds: Infinity,
    };
    peers.push(job);
    return job;
  });
  const span = requests.at(-1)?.arrivalSeconds ?? 0;
  const tokenSeconds = fullIterationSeconds(server);
  let active: SloJob[] = [];
  let next = 0;
  let now = 0;
  let made = 0;
  for (;;) {
    while (next < jobs.length && (jobs[next] as SloJob).request.arrivalSeconds <= now)
      active.push(jobs[next++] as SloJob);
    if (active.length === 0) {
      const coming = jobs[next];
      if (coming === undefined) break;
      now = coming.request.arrivalSeconds;
      continue;
    }
    if (policy.dropsLate === true) {
      for (const job of active)
        if (!job.isRunning && now > job.request.dueSeconds) job.isDropped = true;
      active = active.filter(({ isDropped }) => !isDropped);
      if (active.length === 0) continue;
    }
    const running = seated(active, server.seats, policy, now, tokenSeconds);
    let seconds = 0;
    for (const job of active) {
      const isSeated = running.has(job);
      if (isSeated && !job.isPrefilled)
        seconds += job.request.promptTokens / server.promptTokensPerSecond;
      else if (isSeated !== job.isRunning && job.isPrefilled)
        seconds += (job.request.promptTokens + job.done) / server.swapTokensPerSecond;
      job.isRunning = isSeated;
    }
    const iteration = server.iterationSeconds + running.size * server.iterationSecondsPerSeat;
    for (const job of running) {
      const left = job.request.outputTokens - job.done;
      const tokens = Math.min(left, server.frameIterations);
      if (!job.isPrefilled) job.firstAtSeconds = now + seconds + iteration;
      job.isPrefilled = true;
      job.done += tokens;
      job.predictedLeft = Math.max(1, job.predictedLeft - tokens);
      if (now < span) made += tokens;
      if (tokens === left) job.endSeconds = now + seconds + tokens * iteration;
      else if (job.done - job.predictedAt >= PREDICT_EVERY) {
        job.predictedAt = job.done;
        job.predictedLeft = (left - tokens) * Math.exp(noise * random.normal());
      }
    }
    now += seconds + server.frameIterations * iteration;
    active = active.filter(({ endSeconds }) => endSeconds === Infinity);
  }
  const isMet = ({ request, firstAtSeconds, endSeconds }: SloJob) =>
    firstAtSeconds <= request.firstDueSeconds && endSeconds <= request.dueSeconds;
  const met = jobs.filter(({ peers }) => peers.every(isMet));
  const tokens = met.reduce(
    (sum, { request }) => sum + request.promptTokens + request.outputTokens,
    0,
  );
  return {
    goodTokensPerSecond: tokens / span,
    metShare: met.length / jobs.length,
    outputTokensPerSecond: made / span,
  };
}

function seated(
  active: readonly SloJob[],
  seats: number,
  policy: SloPolicy,
  now: number,
  tokenSeconds: number,
): ReadonlySet<SloJob> {
  const advantage = policy.advantage ?? 0;
  const ordered = active
    .map((job) => {
      const key = policy.key(job, now, tokenSeconds);
      // Who runs stays unless another one is better by the advantage, or at all where nobody is displaced.
      if (!job.isRunning) return { job, key };
      return { job, key: policy.preempts ? key - advantage * Math.abs(key) : -Infinity };
    })
    .sort((a, b) => a.key - b.key || a.job.request.arrivalSeconds - b.job.request.arrivalSeconds);
  return new Set(ordered.slice(0, seats).map(({ job }) => job));
}

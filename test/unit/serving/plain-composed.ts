import type { ComposedStrategy } from '../../../lib/spec/kinds/serve-parts';
import type { Row } from './arbitrary-composed';
import { createPlainQueue, runningKey, waitingKey } from './plain-queue';

/**
 * Any composed strategy on one replica, once more and as plainly as it can be said: lists of objects,
 * every token and block counted one by one, one iteration after the other, no code shared with the
 * simulator. Slow on purpose; it exists to be compared with.
 */
export interface PlainComposedRequest {
  readonly id: number;
  readonly arrival: number;
  readonly prompt: number;
  readonly total: number;
  readonly client: number;
  /** Tokens of the (re)prefill. */
  prefill: number;
  processed: number;
  prefilled: boolean;
  /** Blocks held, and promised. */
  blocks: number;
  restarts: number;
  firstToken: number | undefined;
  lastToken: number | undefined;
  longestGap: number;
  completed: number | undefined;
}

export interface PlainEntry {
  readonly request: PlainComposedRequest;
  readonly tokens: number;
}

export interface PlainComposedOptions {
  readonly strategy: ComposedStrategy;
  readonly blocks: number;
  readonly blockTokens: number;
  readonly watermark: number;
  readonly kvBytesPerToken: number;
  readonly iterationSeconds: (batch: readonly PlainEntry[]) => number;
}

export interface PlainComposedRun {
  readonly requests: readonly PlainComposedRequest[];
  readonly iterations: number;
  readonly blocksUsed: readonly number[];
}

/** The requests must all be able to run: what never fits waits for ever here. */
export function runPlainComposed(
  rows: readonly Row[],
  options: PlainComposedOptions,
): PlainComposedRun {
  const { strategy, blockTokens } = options;
  const { admission, batchFormer, chunker, preemption, kvAlloc } = strategy;
  const requests = rows.map(
    ([arrival, prompt, output, client], id): PlainComposedRequest => ({
      id,
      arrival,
      prompt,
      total: prompt + output,
      client,
      prefill: prompt,
      processed: 0,
      prefilled: false,
      blocks: 0,
      restarts: 0,
      firstToken: undefined,
      lastToken: undefined,
      longestGap: 0,
      completed: undefined,
    }),
  );
  const pending = [...requests];
  const queue = createPlainQueue(strategy.priority);
  let front: PlainComposedRequest[] = [];
  let decoding: PlainComposedRequest[] = [];
  let tail: PlainComposedRequest[] = [];
  let swapped: PlainComposedRequest[] = [];
  /** Everything that holds blocks, what a static batch has finished included. */
  const inside = new Set<PlainComposedRequest>();
  let waited = 0;
  let copiedTokens = 0;
  let hasPreempted = false;

  const needs = (tokens: number) =>
    Math.ceil((kvAlloc.type === 'contiguous-max' ? kvAlloc.maxTokens : tokens) / blockTokens);
  const promise = (request: PlainComposedRequest) =>
    admission.type === 'reserve-max'
      ? Math.ceil(admission.maxTokens / blockTokens)
      : admission.type === 'whole-request'
        ? Math.ceil((request.total - 1) / blockTokens)
        : 0;
  const sum = (count: (request: PlainComposedRequest) => number) =>
    [...inside].reduce((total, each) => total + count(each), 0);
  const free = () => options.blocks - sum((each) => each.blocks);

  const rankOf = (request: PlainComposedRequest): number => {
    if (preemption.type === 'none') return 0;
    if (preemption.type === 'pause-at-operator') throw new Error('no pauses here');
    if (preemption.victim === 'last-admitted') return 0;
    if (preemption.victim === 'latest-arrival') return request.arrival;
    return runningKey(strategy.priority, request);
  };
  const join = (request: PlainComposedRequest) => {
    const after = decoding.findIndex((each) => rankOf(each) > rankOf(request));
    decoding.splice(after < 0 ? decoding.length : after, 0, request);
  };
  const preempt = (request: PlainComposedRequest) => {
    hasPreempted = true;
    inside.delete(request);
    const wasDecoding = decoding.includes(request);
    decoding = decoding.filter((each) => each !== request);
    tail = tail.filter((each) => each !== request);
    request.blocks = 0;
    if (wasDecoding && preemption.type === 'swap') {
      swapped.push(request);
      copiedTokens += request.processed;
      return;
    }
    // A prompt under way begins again; what was generated becomes part of the next prefill.
    if (request.prefilled) request.prefill = request.processed;
    request.processed = 0;
    request.prefilled = false;
    request.restarts++;
    queue.giveBack(request);
  };

  const makeRoom = (): boolean => {
    if (kvAlloc.type !== 'paged') return false;
    let isShort = false;
    for (const request of [...decoding]) {
      if (!decoding.includes(request)) continue;
      while (preemption.type !== 'none' && free() < 1 && decoding.includes(request)) {
        isShort = true;
        preempt([...decoding, ...tail].at(-1) as PlainComposedRequest);
      }
      if (decoding.includes(request) && request.processed > request.blocks * blockTokens)
        request.blocks++;
    }
    return isShort;
  };
  const swapIn = () => {
    for (let first = swapped[0]; first !== undefined; first = swapped[0]) {
      if (inside.size >= admission.maxSequences) return;
      const beside = inside.size > 0 ? options.watermark : 0;
      if (free() - needs(first.processed) < Math.max(beside, 1)) return;
      swapped = swapped.slice(1);
      first.blocks = needs(first.processed);
      inside.add(first);
      copiedTokens += first.processed;
      join(first);
    }
  };

  /** Tokens in memory at the fullest future iteration, by playing every iteration. */
  const futurePeak = (batch: readonly PlainEntry[], head: PlainComposedRequest): number => {
    const entered = batch.filter(({ request }) => !request.prefilled).map((each) => each.request);
    const jobs = [...decoding, ...front, ...tail, ...entered, head].map((each) => {
      const now = each.prefilled ? each.processed : each.prefill + 1;
      return { now, left: Math.max(0, each.total - now - 1) };
    });
    let peak = 0;
    for (const { left: at } of jobs) {
      const alive = jobs.filter(({ left }) => left >= at);
      peak = Math.max(
        peak,
        alive.reduce((total, { now }) => total + now + at, 0),
      );
    }
    return peak;
  };
  const fits = (batch: readonly PlainEntry[], head: PlainComposedRequest): boolean => {
    const left = free() - needs(head.prefill);
    switch (admission.type) {
      case 'watermark':
        return left >= options.watermark;
      case 'fits':
        return left >= 0;
      case 'reserve-max':
      case 'whole-request':
        return left >= 0 && sum(promise) + promise(head) <= options.blocks;
      case 'future-peak':
        return left >= 0 && futurePeak(batch, head) < options.blocks * blockTokens;
    }
  };
  /** Running requests of lower priority make a place, if enough of them would. */
  const displace = (batch: PlainEntry[], head: PlainComposedRequest): boolean => {
    if (preemption.type !== 'recompute' || !preemption.forPriority) return false;
    const key = (each: PlainComposedRequest) => runningKey(strategy.priority, each);
    const lower = decoding
      .filter((each) => key(each) > waitingKey(strategy.priority, head))
      .sort((a, b) => key(b) - key(a) || b.id - a.id);
    const wanted =
      needs(head.prefill) +
      (admission.type === 'watermark'
        ? options.watermark
        : admission.type === 'future-peak'
          ? 2
          : 0);
    const isEnough = (count: number) =>
      free() + lower.slice(0, count).reduce((total, each) => total + each.blocks, 0) >= wanted &&
      sum(promise) - lower.slice(0, count).reduce((total, each) => total + promise(each), 0) <=
        options.blocks - promise(head) &&
      inside.size - count < admission.maxSequences;
    let count = 0;
    while (count < lower.length && !isEnough(count)) count++;
    if (count === 0 || !isEnough(count)) return false;
    for (const each of lower.slice(0, count)) {
      preempt(each);
      const place = batch.findIndex(({ request }) => request === each);
      if (place >= 0) batch.splice(place, 1);
    }
    return true;
  };

  type Plan = { decodes: boolean; continues: boolean; admits: boolean };
  const fill = (plan: Plan): PlainEntry[] => {
    const batch: PlainEntry[] = [];
    if (plan.decodes) {
      const isShort = makeRoom();
      if (!isShort) swapIn();
      for (const request of decoding) batch.push({ request, tokens: 1 });
    }
    const chunkOf = (left: number): number => {
      const prompts = batch.filter(({ request }) => !decoding.includes(request));
      let budget = Infinity;
      if (batchFormer.type === 'decode-first')
        budget = batchFormer.tokenBudget - batch.reduce((total, each) => total + each.tokens, 0);
      if (batchFormer.type === 'prefill-first') {
        const longest = Math.max(left, ...prompts.map((each) => each.tokens));
        if (batchFormer.counting === 'sum')
          budget =
            batchFormer.maxBatchedTokens - prompts.reduce((total, each) => total + each.tokens, 0);
        else budget = (prompts.length + 1) * longest <= batchFormer.maxBatchedTokens ? left : 0;
      }
      const most = chunker.type === 'fixed' ? chunker.chunkTokens : Infinity;
      const chunk =
        chunker.type === 'whole' ? (left <= budget ? left : 0) : Math.min(left, budget, most);
      if (chunk > 0) return chunk;
      const isAlone = plan.decodes
        ? batch.length === 0 && decoding.length === 0
        : prompts.length === 0;
      return isAlone ? Math.min(left, most) : 0;
    };
    if (plan.continues) {
      const under = [...front, ...tail];
      front = [];
      tail = [];
      for (const request of under) {
        const tokens = chunkOf(request.prefill - request.processed);
        if (tokens > 0) batch.push({ request, tokens });
        else front.push(request);
      }
    }
    if (!plan.admits || swapped.length > 0) return batch;
    for (let head = queue.first(); head !== undefined; head = queue.first()) {
      if (inside.size >= admission.maxSequences || !fits(batch, head)) {
        if (displace(batch, head)) continue;
        break;
      }
      if (batch.length >= admission.maxSequences) break;
      const tokens = chunkOf(head.prefill);
      if (tokens === 0) break;
      queue.take(head);
      head.blocks = needs(head.prefill);
      inside.add(head);
      batch.push({ request: head, tokens });
    }
    return batch;
  };

  const prefillPlan = { decodes: false, continues: true, admits: true };
  const decodePlan = { decodes: true, continues: false, admits: false };
  const form = (): PlainEntry[] => {
    if (batchFormer.type === 'static') {
      const isRunning = decoding.length + front.length + tail.length + swapped.length > 0;
      return fill(
        isRunning
          ? { decodes: true, continues: true, admits: false }
          : { decodes: false, continues: false, admits: true },
      );
    }
    if (batchFormer.type !== 'prefill-first')
      return fill({ decodes: true, continues: true, admits: true });
    const { patience } = batchFormer;
    const isRunning = decoding.length > 0;
    const looks = patience === 0 || !isRunning || waited >= patience;
    if (looks) {
      const batch = fill(prefillPlan);
      if (batch.length > 0 || isRunning) waited = 0;
      if (batch.length > 0) return batch;
    }
    const batch = fill(decodePlan);
    if (batch.length > 0) waited++;
    return batch;
  };

  let now = 0;
  let iterations = 0;
  const blocksUsed: number[] = [];
  const arrive = () => {
    while (pending[0] !== undefined && pending[0].arrival <= now)
      queue.arrive(pending.shift() as PlainComposedRequest);
  };
  const emit = (request: PlainComposedRequest) => {
    if (request.lastToken === undefined) request.firstToken = now;
    else request.longestGap = Math.max(request.longestGap, now - request.lastToken);
    request.lastToken = now;
  };
  const complete = (request: PlainComposedRequest) => {
    request.completed = now;
    decoding = decoding.filter((each) => each !== request);
    if (batchFormer.type !== 'static') inside.delete(request);
  };
  const returnHeldBack = () => {
    if (decoding.length + front.length + tail.length > 0) return false;
    const finished = [...inside].filter((each) => each.completed !== undefined);
    for (const each of finished) inside.delete(each);
    return finished.length > 0;
  };
  for (;;) {
    arrive();
    copiedTokens = 0;
    hasPreempted = false;
    const batch = form();
    if (batch.length === 0) {
      if (returnHeldBack() || hasPreempted) continue;
      const next = pending[0];
      if (next === undefined) return { requests, iterations, blocksUsed };
      now = Math.max(now, next.arrival);
      continue;
    }
    iterations++;
    blocksUsed.push(sum((each) => each.blocks));
    const isDecode = new Map(batch.map(({ request }) => [request, request.prefilled]));
    let seconds = options.iterationSeconds(batch);
    if (preemption.type === 'swap')
      seconds +=
        (copiedTokens * options.kvBytesPerToken) / (preemption.hostGigabytesPerSecond * 1e9);
    now += seconds;
    arrive();
    for (const { request, tokens } of batch) {
      if (isDecode.get(request)) {
        request.processed++;
        queue.serve(request);
        emit(request);
        if (request.processed === request.total) complete(request);
      }
      void tokens;
    }
    for (const { request, tokens } of batch) {
      if (isDecode.get(request)) continue;
      request.processed += tokens;
      if (request.processed < request.prefill) {
        tail.push(request);
        continue;
      }
      request.prefilled = true;
      request.processed++;
      emit(request);
      if (request.processed === request.total) complete(request);
      else {
        queue.serve(request);
        join(request);
      }
    }
    returnHeldBack();
    if (iterations > 100_000) throw new Error('the plain scheduler does not come to an end');
  }
}

/**
 * The vllm and sarathi rules of Vidur once more, as plainly as they can be said: lists of objects,
 * no columns, no shared code with the simulator. Slow on purpose; it exists to be compared with.
 */
export interface PlainRequest {
  readonly id: number;
  readonly arrival: number;
  prompt: number;
  output: number;
  processed: number;
  prefilled: boolean;
  blocks: number;
  restarts: number;
  firstToken: number | undefined;
  completed: number | undefined;
}

export interface PlainBatch {
  readonly request: PlainRequest;
  readonly tokens: number;
}

export interface PlainOptions {
  readonly scheduler: 'vllm' | 'sarathi';
  readonly blocks: number;
  readonly blockTokens: number;
  readonly watermark: number;
  readonly cap: number;
  readonly maxBatchedTokens: number;
  readonly chunk: number;
  readonly iterationSeconds: (batch: readonly PlainBatch[]) => number;
}

export function runPlainScheduler(
  input: readonly (readonly [arrival: number, prompt: number, output: number])[],
  options: PlainOptions,
): { requests: PlainRequest[]; iterations: number } {
  const requests = input.map(
    ([arrival, prompt, output], id): PlainRequest => ({
      id,
      arrival,
      prompt,
      output,
      processed: 0,
      prefilled: false,
      blocks: 0,
      restarts: 0,
      firstToken: undefined,
      completed: undefined,
    }),
  );
  const { blockTokens, cap } = options;
  const pending = [...requests];
  let queue: PlainRequest[] = [];
  let running: PlainRequest[] = [];
  const holding = new Set<PlainRequest>();
  const used = () => [...holding].reduce((sum, request) => sum + request.blocks, 0);
  const free = () => options.blocks - used();
  const needs = (tokens: number) => Math.ceil(tokens / blockTokens);
  const byArrival = (a: PlainRequest, b: PlainRequest) => a.arrival - b.arrival;

  const restart = (request: PlainRequest) => {
    const total = request.prompt + request.output;
    request.prompt = request.processed;
    request.output = total - request.processed;
    request.processed = 0;
    request.prefilled = false;
    request.restarts++;
    request.blocks = 0;
    holding.delete(request);
    queue = [request, ...queue];
  };
  /** True when the running request may have its token; otherwise it has been restarted itself. */
  const makeRoom = (request: PlainRequest): boolean => {
    while (free() < 1) {
      const victim = running.pop();
      if (victim === undefined) {
        restart(request);
        return false;
      }
      restart(victim);
    }
    if (request.processed > request.blocks * blockTokens) request.blocks++;
    return true;
  };
  const canAdmit = (request: PlainRequest) => free() - needs(request.prompt) >= options.watermark;
  const admit = (request: PlainRequest) => {
    queue.shift();
    request.blocks = needs(request.prompt);
    holding.add(request);
  };

  const vllm = (): PlainBatch[] => {
    const batch: PlainBatch[] = [];
    for (let head = queue[0]; head !== undefined; head = queue[0]) {
      const tokens = head.prompt;
      if (!canAdmit(head)) break;
      if (
        (batch.length + 1) * Math.max(tokens, ...batch.map((entry) => entry.tokens)) >
        options.maxBatchedTokens
      )
        break;
      if (holding.size === cap || batch.length === cap) break;
      admit(head);
      batch.push({ request: head, tokens });
    }
    if (batch.length > 0) return batch;
    running.sort(byArrival);
    while (running.length > 0 && batch.length < cap) {
      const request = running.shift() as PlainRequest;
      if (makeRoom(request)) batch.push({ request, tokens: 1 });
    }
    return batch;
  };

  const sarathi = (): PlainBatch[] => {
    const batch: PlainBatch[] = [];
    const unfinished: PlainRequest[] = [];
    let tokens = 0;
    while (running.length > 0 && batch.length < cap) {
      const request = running.shift() as PlainRequest;
      if (!request.prefilled) unfinished.push(request);
      else if (makeRoom(request)) {
        batch.push({ request, tokens: 1 });
        tokens++;
      }
    }
    const skipped: PlainRequest[] = [];
    for (const request of unfinished) {
      const next = Math.max(
        0,
        Math.min(request.prompt - request.processed, options.chunk - tokens),
      );
      if (next === 0) skipped.push(request);
      else {
        batch.push({ request, tokens: next });
        tokens += next;
      }
    }
    running = [...skipped, ...running].sort(byArrival);
    for (let head = queue[0]; head !== undefined; head = queue[0]) {
      if (holding.size === cap || batch.length === cap || !canAdmit(head)) break;
      const next = Math.max(0, Math.min(head.prompt, options.chunk - tokens));
      if (next === 0) break;
      admit(head);
      batch.push({ request: head, tokens: next });
      tokens += next;
    }
    return batch;
  };

  let now = 0;
  let iterations = 0;
  for (;;) {
    while (pending[0] !== undefined && pending[0].arrival <= now)
      queue.push(pending.shift() as PlainRequest);
    const batch = options.scheduler === 'vllm' ? vllm() : sarathi();
    if (batch.length === 0) {
      const next = pending[0];
      if (next === undefined) return { requests, iterations };
      now = Math.max(now, next.arrival);
      continue;
    }
    iterations++;
    const end = now + options.iterationSeconds(batch);
    // Arrivals up to the end of the batch join the queue before it is finished: at the top of the loop.
    now = end;
    while (pending[0] !== undefined && pending[0].arrival <= now)
      queue.push(pending.shift() as PlainRequest);
    for (const { request, tokens } of batch) {
      request.processed += tokens;
      if (!request.prefilled && request.processed === request.prompt) {
        request.prefilled = true;
        request.processed++;
        request.firstToken ??= now;
      }
      if (request.processed === request.prompt + request.output) {
        request.completed = now;
        request.blocks = 0;
        holding.delete(request);
      } else running.push(request);
    }
    if (iterations > 200_000) throw new Error('the plain scheduler does not come to an end');
  }
}

/**
 * The rule of vLLM V1 once more, as plainly as it can be said: objects and lists, contents spelled
 * out as text, no shared code with the simulator. Slow on purpose; it exists to be compared with.
 */
export interface PlainV1Input {
  readonly arrival: number;
  readonly prompt: number;
  readonly output: number;
  readonly priority: number;
  /** Token ids of the prompt and perhaps of the output. */
  readonly tokens: readonly number[];
}

export interface PlainV1Options {
  readonly blocks: number;
  readonly blockTokens: number;
  readonly budget: number;
  readonly maxSequences: number;
  readonly threshold: number;
  readonly chunked: boolean;
  readonly reserve: boolean;
  readonly byPriority: boolean;
  readonly caching: boolean;
  readonly depth: 1 | 2;
  readonly stepSeconds: (parts: readonly { tokens: number; context: number }[]) => number;
}

interface Block {
  users: number;
  content: string | undefined;
}

interface Request extends PlainV1Input {
  readonly id: number;
  computed: number;
  planned: number;
  emitted: number;
  blocks: Block[];
  named: number;
  preemptions: number;
  hit: number | undefined;
  first: number | undefined;
  last: number | undefined;
  maxStall: number;
  completed: number | undefined;
}

interface PlainStep {
  readonly parts: { request: Request; tokens: number; emits: boolean }[];
  readonly end: number;
}

export interface PlainV1Outcome {
  readonly first: number | undefined;
  readonly completed: number | undefined;
  readonly preemptions: number;
  readonly hit: number | undefined;
  readonly maxStall: number;
}

export interface PlainV1Result {
  readonly outcomes: PlainV1Outcome[];
  readonly steps: number;
  /** How often each gap between two tokens of one request occurred. */
  readonly gaps: ReadonlyMap<number, number>;
  /** Blocks in use when each step was formed. */
  readonly usedBlocks: readonly number[];
}

export function runPlainVllmV1(
  input: readonly PlainV1Input[],
  options: PlainV1Options,
): PlainV1Result {
  const requests = input.map(
    (row, id): Request => ({
      ...row,
      id,
      computed: 0,
      planned: 0,
      emitted: 0,
      blocks: [],
      named: 0,
      preemptions: 0,
      hit: undefined,
      first: undefined,
      last: undefined,
      maxStall: 0,
      completed: undefined,
    }),
  );
  // Never-used blocks stand first, released ones join the end: the order of eviction.
  let free: Block[] = Array.from({ length: options.blocks }, () => ({
    users: 0,
    content: undefined,
  }));
  const named: Block[] = [];
  const pending = requests.filter(
    (r) => Math.ceil((r.prompt + r.output - 1) / options.blockTokens) <= options.blocks,
  );
  let waiting: Request[] = [];
  let running: Request[] = [];
  const flight: PlainStep[] = [];
  const gaps = new Map<number, number>();
  const usedBlocks: number[] = [];
  let steps = 0;
  let now = 0;
  let acceleratorFree = 0;

  const known = (r: Request) => r.prompt + r.emitted;
  const needed = (tokens: number) => Math.ceil(tokens / options.blockTokens);
  const contentOf = (r: Request, index: number): string => {
    const end = (index + 1) * options.blockTokens;
    return end <= r.tokens.length ? r.tokens.slice(0, end).join(',') : `own ${r.id} ${index}`;
  };
  const nameBlocks = (r: Request, tokens: number) => {
    if (!options.caching) return;
    for (; r.named < Math.floor(tokens / options.blockTokens); r.named++) {
      const block = r.blocks[r.named] as Block;
      block.content = contentOf(r, r.named);
      named.push(block);
    }
  };
  const release = (r: Request) => {
    for (const block of [...r.blocks].reverse()) {
      block.users--;
      if (block.users === 0) free.push(block);
    }
    r.blocks = [];
    r.named = 0;
  };
  const takeBlock = (): Block => {
    const block = free.shift() as Block;
    if (block.content !== undefined) {
      named.splice(named.indexOf(block), 1);
      block.content = undefined;
    }
    block.users = 1;
    return block;
  };
  const allocate = (r: Request, hits: readonly Block[], upTo: number, reserve: number): boolean => {
    const have = r.blocks.length + hits.length;
    const idle = hits.filter((block) => block.users === 0).length;
    if (Math.max(needed(upTo), needed(reserve), have) - have + idle > free.length) return false;
    for (const block of hits) {
      if (block.users === 0) free = free.filter((other) => other !== block);
      block.users++;
      r.blocks.push(block);
    }
    if (hits.length > 0) r.named = hits.length;
    while (r.blocks.length < needed(upTo)) r.blocks.push(takeBlock());
    return true;
  };
  const findPrefix = (r: Request): Block[] => {
    const hits: Block[] = [];
    if (!options.caching) return hits;
    for (let i = 0; (i + 1) * options.blockTokens <= known(r) - 1; i++) {
      const content = contentOf(r, i);
      const block = named.find((each) => each.content === content);
      if (block === undefined) break;
      hits.push(block);
    }
    return hits;
  };
  const order = (a: Request, b: Request) =>
    a.priority - b.priority || a.arrival - b.arrival || a.id - b.id;
  const preempt = (r: Request) => {
    nameBlocks(r, Math.min(r.computed, known(r)));
    release(r);
    r.computed = 0;
    r.preemptions++;
    waiting = [r, ...waiting];
    if (options.byPriority) waiting.sort(order);
  };

  const formStep = (): PlainStep['parts'] => {
    const parts: { request: Request; tokens: number; emits: boolean }[] = [];
    let budget = options.budget;
    let hasPreempted = false;
    for (let i = 0; i < running.length && budget > 0; ) {
      const r = running[i] as Request;
      if (r.planned >= r.output) {
        i++;
        continue;
      }
      let tokens = r.prompt + r.planned - r.computed;
      if (options.threshold > 0) tokens = Math.min(tokens, options.threshold);
      tokens = Math.min(tokens, budget);
      let isScheduled = true;
      while (!allocate(r, [], r.computed + tokens, 0)) {
        const victim = options.byPriority
          ? ([...running].sort(
              (a, b) => b.priority - a.priority || b.arrival - a.arrival,
            )[0] as Request)
          : (running.at(-1) as Request);
        if (running.indexOf(victim) < i) i--;
        running = running.filter((other) => other !== victim);
        const at = parts.findIndex(({ request }) => request === victim);
        if (at >= 0) budget += (parts.splice(at, 1)[0] as { tokens: number }).tokens;
        preempt(victim);
        hasPreempted = true;
        if (victim === r) {
          isScheduled = false;
          break;
        }
      }
      if (!isScheduled) break;
      parts.push({ request: r, tokens, emits: false });
      budget -= tokens;
      nameBlocks(r, Math.min(r.computed + tokens, known(r)));
      i++;
    }
    while (!hasPreempted && waiting.length > 0 && budget > 0) {
      if (running.length >= options.maxSequences) break;
      const r = waiting[0] as Request;
      const hits = findPrefix(r);
      const computed = hits.length * options.blockTokens;
      let tokens = known(r) - computed;
      if (options.threshold > 0) tokens = Math.min(tokens, options.threshold);
      if (!options.chunked && tokens > budget) break;
      tokens = Math.min(tokens, budget);
      if (!allocate(r, hits, computed + tokens, options.reserve ? known(r) : 0)) break;
      waiting = waiting.slice(1);
      running.push(r);
      r.computed = computed;
      r.hit ??= computed;
      parts.push({ request: r, tokens, emits: false });
      budget -= tokens;
      nameBlocks(r, Math.min(computed + tokens, known(r)));
    }
    return parts;
  };

  const formSteps = () => {
    while (flight.length < options.depth) {
      const parts = formStep();
      if (parts.length === 0) return;
      const seconds = options.stepSeconds(
        parts.map(({ request, tokens }) => ({ tokens, context: request.computed })),
      );
      for (const part of parts) {
        const r = part.request;
        r.computed += part.tokens;
        if (r.computed === r.prompt + r.planned) {
          r.planned++;
          part.emits = true;
        }
      }
      steps++;
      usedBlocks.push(options.blocks - free.length);
      const end = Math.max(now, acceleratorFree) + seconds;
      acceleratorFree = end;
      flight.push({ parts, end });
      if (steps > 100_000) throw new Error('the plain scheduler does not come to an end');
    }
  };

  for (;;) {
    const next = Math.min(pending[0]?.arrival ?? Infinity, flight[0]?.end ?? Infinity);
    if (next === Infinity) break;
    now = next;
    while (pending[0] !== undefined && pending[0].arrival <= now) {
      waiting.push(pending.shift() as Request);
      if (options.byPriority) waiting.sort(order);
    }
    const ended = flight[0];
    if (ended !== undefined && ended.end <= now) {
      flight.shift();
      for (const { request: r, emits } of ended.parts) {
        if (!emits) continue;
        r.emitted++;
        r.first ??= now;
        if (r.last !== undefined) {
          const gap = now - r.last;
          gaps.set(gap, (gaps.get(gap) ?? 0) + 1);
          r.maxStall = Math.max(r.maxStall, gap);
        }
        r.last = now;
        if (r.emitted === r.output) {
          r.completed = now;
          release(r);
          running = running.filter((other) => other !== r);
          waiting = waiting.filter((other) => other !== r);
        } else if (r.blocks.length > 0) nameBlocks(r, Math.min(r.computed, known(r)));
      }
      formSteps();
    }
    if (flight.length === 0) formSteps();
  }
  return {
    outcomes: requests.map(({ first, completed, preemptions, hit, maxStall }) => ({
      first,
      completed,
      preemptions,
      hit,
      maxStall,
    })),
    steps,
    gaps,
    usedBlocks,
  };
}

/** A request with images: encoded one by one, then computed, then decoded. */
export interface ImageRequest {
  readonly arrivalSeconds: number;
  readonly images: number;
  readonly textTokens: number;
  readonly outputTokens: number;
}

/** What a worker does: one stage, encode and prefill, or all three. */
export type StageRole = 'E' | 'P' | 'D' | 'EP' | 'EPD';

export interface StageCosts {
  readonly encodeSecondsPerImage: number;
  readonly tokensPerImage: number;
  readonly promptTokensPerSecond: number;
  readonly iterationSeconds: number;
  readonly iterationSecondsPerSeat: number;
  readonly seats: number;
  /** Of image tokens to the prefill, and of KV to the decoding. */
  readonly transferSecondsPerToken: number;
}

export interface RoleControl {
  readonly everySeconds: number;
  /** A worker that changes does nothing for so long. */
  readonly switchSeconds: number;
}

interface Item {
  readonly request: ImageRequest;
  imagesToStart: number;
  imagesLeft: number;
  done: number;
  firstSeconds: number;
  endSeconds: number;
}

interface Worker {
  role: StageRole;
  next: StageRole | undefined;
  busyUntil: number;
  members: Item[];
  /** Its own queue, where a worker does everything. */
  readonly queue: Item[];
  onDone: () => void;
}

export interface StageOutcome {
  readonly ttftSeconds: Float64Array;
  /** Mean time per output token after the first, in the order of arrival. */
  readonly tpotSeconds: Float64Array;
  readonly endSeconds: Float64Array;
  readonly switches: number;
}

/**
 * The role that gets a worker, and the one that gives it: to the stage with the longest queue per
 * worker, unless every queue has at least half of that; from the shortest of the others with more than
 * one worker.
 */
export function chooseSwitch(
  queues: Readonly<Record<'E' | 'P' | 'D', number>>,
  workers: Readonly<Record<'E' | 'P' | 'D', number>>,
): { readonly from: 'E' | 'P' | 'D'; readonly to: 'E' | 'P' | 'D' } | undefined {
  const stages = ['E', 'P', 'D'] as const;
  const to = stages.reduce((most, each) => (queues[each] > queues[most] ? each : most));
  if (queues[to] === 0 || stages.every((each) => 2 * queues[each] >= queues[to])) return undefined;
  const givers = stages.filter((each) => each !== to && workers[each] > 1);
  const from = givers.toSorted((a, b) => queues[a] - queues[b] || workers[b] - workers[a])[0];
  return from === undefined ? undefined : { from, to };
}

/**
 * Runs requests through workers of given roles. Images of one request are encoded by all E workers at
 * once; P and EP take whole requests in order of arrival; a D worker runs iterations of all its members;
 * one of role EPD computes what waits first, and its decoding stands still meanwhile.
 */
export function runStages(
  requests: readonly ImageRequest[],
  roles: readonly StageRole[],
  costs: StageCosts,
  control?: RoleControl,
): StageOutcome {
  const idle = () => undefined;
  const workers: Worker[] = roles.map((role) => ({
    role,
    next: undefined,
    busyUntil: Infinity,
    members: [],
    queue: [],
    onDone: idle,
  }));
  const items: Item[] = requests.map((request) => ({
    request,
    imagesToStart: request.images,
    imagesLeft: request.images,
    done: 0,
    firstSeconds: Number.NaN,
    endSeconds: Number.NaN,
  }));
  const encoding: Item[] = [];
  const prefilling: { item: Item; at: number }[] = [];
  const decoding: { item: Item; at: number }[] = [];
  let arrived = 0;
  let left = items.length;
  let now = 0;
  let nextControl = control?.everySeconds ?? Infinity;
  let switches = 0;
  const hasEncoders = roles.includes('E');

  const promptOf = ({ request }: Item) =>
    request.textTokens + request.images * costs.tokensPerImage;
  const prefillSeconds = (item: Item) => promptOf(item) / costs.promptTokensPerSecond;
  function start(worker: Worker, seconds: number, onDone: () => void): void {
    worker.busyUntil = now + seconds;
    worker.onDone = onDone;
  }
  function emitFirst(item: Item): void {
    item.firstSeconds = now;
    item.done = 1;
    if (item.request.outputTokens <= 1) finish(item);
  }
  function finish(item: Item): void {
    item.endSeconds = now;
    left--;
  }
  function toDecoding(item: Item): void {
    if (item.done < item.request.outputTokens)
      decoding.push({ item, at: now + promptOf(item) * costs.transferSecondsPerToken });
  }
  function iterate(worker: Worker): void {
    const { members } = worker;
    start(worker, costs.iterationSeconds + members.length * costs.iterationSecondsPerSeat, () => {
      for (const item of members) {
        item.done++;
        if (item.done >= item.request.outputTokens) finish(item);
      }
      worker.members = members.filter(({ done, request }) => done < request.outputTokens);
    });
  }
  function takeReady(list: { item: Item; at: number }[]): Item | undefined {
    const index = list.findIndex(({ at }) => at <= now);
    return index < 0 ? undefined : list.splice(index, 1)[0]?.item;
  }
  function dispatch(worker: Worker): void {
    if (worker.next !== undefined) {
      for (const item of worker.members) decoding.unshift({ item, at: now });
      worker.members = [];
      worker.role = worker.next;
      worker.next = undefined;
      start(worker, control?.switchSeconds ?? 0, idle);
      return;
    }
    if (worker.role === 'E') {
      const item = encoding[0];
      if (item === undefined) return;
      if (--item.imagesToStart === 0) encoding.shift();
      start(worker, costs.encodeSecondsPerImage, () => {
        if (--item.imagesLeft > 0) return;
        const tokens = item.request.images * costs.tokensPerImage;
        prefilling.push({ item, at: now + tokens * costs.transferSecondsPerToken });
      });
    } else if (worker.role === 'P' || worker.role === 'EP') {
      const item = takeReady(prefilling);
      if (item === undefined) return;
      const encode = worker.role === 'EP' ? item.request.images * costs.encodeSecondsPerImage : 0;
      start(worker, encode + prefillSeconds(item), () => {
        emitFirst(item);
        toDecoding(item);
      });
    } else if (worker.role === 'D') {
      const share = workers.filter(({ role }) => role === 'D').length;
      const most = Math.ceil((decoding.length + worker.members.length) / share) + 1;
      while (worker.members.length < Math.min(costs.seats, most)) {
        const item = takeReady(decoding);
        if (item === undefined) break;
        worker.members.push(item);
      }
      if (worker.members.length > 0) iterate(worker);
    } else {
      const item = worker.members.length < costs.seats ? worker.queue.shift() : undefined;
      if (item === undefined) {
        if (worker.members.length > 0) iterate(worker);
        return;
      }
      const encode = item.request.images * costs.encodeSecondsPerImage;
      start(worker, encode + prefillSeconds(item), () => {
        emitFirst(item);
        if (item.done < item.request.outputTokens) worker.members.push(item);
      });
    }
  }
  function arrive(item: Item): void {
    if (roles.includes('EPD')) {
      const load = ({ queue, members }: Worker) => 4 * queue.length + members.length;
      workers.reduce((least, each) => (load(each) < load(least) ? each : least)).queue.push(item);
    } else if (hasEncoders && item.request.images > 0) encoding.push(item);
    else prefilling.push({ item, at: now });
  }
  function decide(): void {
    const counts = { E: 0, P: 0, D: 0 };
    for (const { role, next } of workers) counts[(next ?? role) as 'E' | 'P' | 'D']++;
    const images = encoding.reduce((sum, { imagesToStart }) => sum + imagesToStart, 0);
    // Work that waits, in seconds of one worker, so that stages can be compared.
    const queues = {
      E: (images * costs.encodeSecondsPerImage) / counts.E,
      P: prefilling.reduce((sum, { item }) => sum + prefillSeconds(item), 0) / counts.P,
      D:
        (decoding.reduce((sum, { item }) => sum + item.request.outputTokens - item.done, 0) *
          (costs.iterationSeconds / costs.seats + costs.iterationSecondsPerSeat)) /
        counts.D,
    };
    const change = chooseSwitch(queues, counts);
    if (change === undefined) return;
    const giver = workers
      .filter(({ role, next }) => role === change.from && next === undefined)
      .toSorted((a, b) => a.members.length - b.members.length)[0];
    if (giver === undefined) return;
    giver.next = change.to;
    switches++;
  }

  while (left > 0) {
    const arrival = items[arrived]?.request.arrivalSeconds ?? Infinity;
    const waits = [...prefilling, ...decoding].map(({ at }) => at).filter((at) => at > now);
    const next = Math.min(
      arrival,
      nextControl,
      ...waits,
      ...workers.map(({ busyUntil }) => busyUntil),
    );
    if (next === Infinity) throw new RangeError(`no worker for ${left} requests left`);
    now = next;
    while ((items[arrived]?.request.arrivalSeconds ?? Infinity) <= now)
      arrive(items[arrived++] as Item);
    for (const worker of workers) {
      if (worker.busyUntil > now) continue;
      worker.busyUntil = Infinity;
      worker.onDone();
      worker.onDone = idle;
    }
    if (nextControl <= now && control !== undefined) {
      decide();
      nextControl += control.everySeconds;
    }
    for (const worker of workers) if (worker.busyUntil === Infinity) dispatch(worker);
  }
  return {
    ttftSeconds: Float64Array.from(
      items,
      ({ firstSeconds, request }) => firstSeconds - request.arrivalSeconds,
    ),
    tpotSeconds: Float64Array.from(items, ({ firstSeconds, endSeconds, request }) =>
      request.outputTokens <= 1 ? 0 : (endSeconds - firstSeconds) / (request.outputTokens - 1),
    ),
    endSeconds: Float64Array.from(items, ({ endSeconds }) => endSeconds),
    switches,
  };
}

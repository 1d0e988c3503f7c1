import type { Random } from '../../random/random';

/** How KV is copied to host memory and back. */
export interface SwapCopies {
  readonly layers: number;
  readonly bytesPerTokenAndLayer: number;
  readonly bytesPerSecond: number;
  /** Time to issue one copy, whatever its size. */
  readonly callSeconds: number;
  /** Tokens that lie together: one block, or a group of them. */
  readonly runTokens: number;
}

/**
 * Seconds to copy so many tokens: calls x time to issue one + bytes / bandwidth. Every run of every
 * layer is a call, keys and values each their own.
 */
export function copySeconds(tokens: number, copies: SwapCopies): number {
  const calls = 2 * copies.layers * Math.ceil(tokens / copies.runTokens);
  const bytes = tokens * copies.layers * copies.bytesPerTokenAndLayer;
  return calls * copies.callSeconds + bytes / copies.bytesPerSecond;
}

/** One turn of a conversation; the next one comes `thinkSeconds` after its end. */
export interface ChatTurn {
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly thinkSeconds: number;
}

export interface Chat {
  readonly startSeconds: number;
  readonly turns: readonly ChatTurn[];
}

export interface SwapServer {
  readonly memoryTokens: number;
  readonly iterationSeconds: number;
  readonly iterationSecondsPerSeat: number;
  readonly promptTokensPerSecond: number;
  /** Iterations between two changes of everybody's priority. */
  readonly reorderEvery: number;
}

export interface SwapPolicy {
  readonly copies: SwapCopies;
  /** Whether iterations go on while KV is copied; who comes back joins when its copy is there. */
  readonly isAsynchronous: boolean;
  /** Whether the copy in host memory is kept, so that only what is new goes out again. */
  readonly keepsCopy: boolean;
}

interface Talk {
  readonly chat: Chat;
  turn: number;
  priority: number;
  /** When the present turn was sent; Infinity after the last. */
  sentSeconds: number;
  /** KV tokens of the conversation, and those of them with a copy in host memory. */
  tokens: number;
  copied: number;
  isInside: boolean;
  /** When its KV is back. */
  readySeconds: number;
  prefillLeft: number;
  outputLeft: number;
  lastTokenSeconds: number;
}

export interface SwapOutcome {
  readonly ttftSeconds: Float64Array;
  readonly gapSeconds: Float64Array;
  /** Seconds for which iterations stood still because of copies, over all. */
  readonly stallShare: number;
  readonly movedTokens: number;
}

/**
 * Conversations on one server whose order is drawn anew every `reorderEvery` iterations, as fairness
 * would. The first of the order that fit in memory are inside; who is not inside goes to host memory.
 * KV between turns stays there as well.
 */
export function serveSwapping(
  chats: readonly Chat[],
  server: SwapServer,
  policy: SwapPolicy,
  random: Random,
): SwapOutcome {
  const talks: Talk[] = chats.map((chat) => ({
    chat,
    turn: 0,
    priority: random.uniform(),
    sentSeconds: chat.startSeconds,
    tokens: 0,
    copied: 0,
    isInside: false,
    readySeconds: 0,
    prefillLeft: chat.turns[0]?.promptTokens ?? 0,
    outputLeft: chat.turns[0]?.outputTokens ?? 0,
    lastTokenSeconds: Number.NaN,
  }));
  const ttft: number[] = [];
  const gaps: number[] = [];
  let now = 0;
  let linkFreeAt = 0;
  let stalled = 0;
  let moved = 0;

  function move(tokens: number): number {
    if (tokens <= 0) return now;
    const seconds = copySeconds(tokens, policy.copies);
    moved += tokens;
    if (policy.isAsynchronous) {
      linkFreeAt = Math.max(now, linkFreeAt) + seconds;
      return linkFreeAt;
    }
    now += seconds;
    stalled += seconds;
    return now;
  }
  function leave(talk: Talk): void {
    talk.isInside = false;
    const keep = policy.keepsCopy ? talk.copied : 0;
    const end = move(talk.tokens - keep);
    // Whoever takes the place waits for it, and so does the talk itself.
    talk.readySeconds = end;
    talk.copied = talk.tokens;
  }
  function enter(talk: Talk): void {
    talk.isInside = true;
    talk.readySeconds = Math.max(talk.readySeconds, move(talk.tokens));
    if (!policy.keepsCopy) talk.copied = 0;
  }
  const wants = (talk: Talk) => talk.tokens + talk.prefillLeft + talk.outputLeft;

  let live = talks;
  for (let iteration = 0; live.length > 0; iteration++) {
    const present = live.filter(({ sentSeconds }) => sentSeconds <= now);
    if (present.length === 0) {
      now = Math.min(...live.map(({ sentSeconds }) => sentSeconds));
      continue;
    }
    if (iteration % server.reorderEvery === 0)
      for (const talk of present) talk.priority = random.uniform();
    const inside = new Set<Talk>();
    let used = 0;
    for (const talk of present.toSorted((a, b) => a.priority - b.priority)) {
      if (used + wants(talk) > server.memoryTokens) continue;
      used += wants(talk);
      inside.add(talk);
    }
    for (const talk of live) if (talk.isInside && !inside.has(talk)) leave(talk);
    for (const talk of inside) if (!talk.isInside) enter(talk);
    const ready = [...inside].filter(({ readySeconds }) => readySeconds <= now);
    if (ready.length === 0) {
      const next = Math.min(...[...inside].map(({ readySeconds }) => readySeconds));
      // Without room for anybody the next one to be sent may be smaller.
      if (next === Infinity) throw new RangeError('no conversation fits in memory');
      stalled += next - now;
      now = next;
      continue;
    }
    const prompt = ready.find(({ prefillLeft }) => prefillLeft > 0);
    const seats = ready.filter((talk) => talk.prefillLeft === 0 || talk === prompt);
    now +=
      server.iterationSeconds +
      seats.length * server.iterationSecondsPerSeat +
      (prompt?.prefillLeft ?? 0) / server.promptTokensPerSecond;
    for (const talk of seats) {
      if (talk === prompt) {
        ttft.push(now - talk.sentSeconds);
        talk.tokens += talk.prefillLeft;
        talk.prefillLeft = 0;
      } else gaps.push(now - talk.lastTokenSeconds);
      talk.lastTokenSeconds = now;
      talk.tokens++;
      talk.outputLeft--;
      if (talk.outputLeft > 0) continue;
      const ended = talk.chat.turns[talk.turn] as ChatTurn;
      talk.turn++;
      const next = talk.chat.turns[talk.turn];
      talk.sentSeconds = next === undefined ? Infinity : now + ended.thinkSeconds;
      talk.prefillLeft = next?.promptTokens ?? 0;
      talk.outputLeft = next?.outputTokens ?? 0;
      if (next === undefined) talk.isInside = false;
    }
    live = live.filter(({ sentSeconds }) => sentSeconds < Infinity);
  }
  return {
    ttftSeconds: Float64Array.from(ttft).sort(),
    gapSeconds: Float64Array.from(gaps).sort(),
    stallShare: stalled / now,
    movedTokens: moved,
  };
}

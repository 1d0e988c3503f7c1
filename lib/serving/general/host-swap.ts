import type { Workload } from '../../workload/types';
import { createLaneLog, takeLane } from '../core/replica';
import type { Preemption } from '../parts/preemption';
import type { TimelineLane } from '../types';
import { joinDecoding, leaveDecoding } from './decode-list';
import type { SideEvents } from './event-loop';
import { dropBlocks, holdBlocks, letGoOfSeat, returnBlocks } from './memory';
import type { Replica } from './replica';
import { createDueHeap, type Sends } from './sends';
import { COPIED_AS_IT_WAS, type EntryLoad, type State } from './state';
import { commonPrefixTokens } from './turn-prefix';

/** KV that goes to host memory and comes back. */
export interface HostSwap extends SideEvents {
  /**
   * A request that decodes loses its place.
   * @param isForced its blocks are needed in the iteration being formed
   * @returns false where host memory has no room
   */
  out(replica: Replica, id: number, isForced: boolean): boolean;
  /** One that is out gets its place back. */
  back(replica: Replica, id: number): void;
  /** Seconds of its copies, out or in. */
  outSeconds(replica: Replica, id: number): number;
  backSeconds(id: number): number;
  /** Blocks and seats of requests whose copies are on their way out. */
  leaving(replica: Replica): { readonly blocks: number; readonly seats: number };
  /** A turn is complete: whether its blocks stay until they have been copied. */
  turnEnds(replica: Replica, id: number): boolean;
  /** A turn enters: what of it comes from host memory. */
  turnEnters(replica: Replica, id: number): EntryLoad | undefined;
  lanes(): TimelineLane[];
}

type SwapPart = NonNullable<Preemption['swap']>;

export interface HostSwapOptions {
  readonly part: SwapPart;
  readonly layers: number;
  readonly workload: Workload;
  readonly sends: Sends;
  readonly replicas: readonly Replica[];
}

type Copy =
  | { readonly kind: 'out'; readonly replica: Replica; readonly blocks: number }
  | { readonly kind: 'turn-out'; readonly replica: Replica }
  | { readonly kind: 'back'; readonly replica: Replica }
  | { readonly kind: 'turn-in'; readonly replica: Replica; readonly tokens: number };

/**
 * Copies of KV between a replica and its host: calls x time to issue one + bytes / bandwidth, keys and
 * values of every layer each their own call, for every run of blocks that lies together. Held up, they
 * add to the iteration; asynchronous ones take turns on a link of each direction, blocks on their way
 * out are free when the copy has ended, and who comes back joins when it has.
 */
export function createHostSwap(state: State, options: HostSwapOptions): HostSwap {
  const { part, layers, workload, sends, replicas } = options;
  const { requests, parts } = state;
  const isAsynchronous = part.overlap === 'asynchronous';
  const capacityTokens =
    part.hostGigabytes === 0
      ? Infinity
      : (part.hostGigabytes * 1e9) / Math.max(1e-9, state.kvBytesPerToken);
  /** Tokens of each request with a copy in the memory of a host. */
  const copied = new Int32Array(requests.count);
  const hostTokens = replicas.map(() => 0);
  /** Turns whose program is away, and where their KV is. */
  const turns = new Map<number, Replica>();
  const links = replicas.map(() => ({ out: createCopyLink(), back: createCopyLink() }));
  const due = createDueHeap();
  const copies = new Map<number, Copy>();
  const onTheirWay = replicas.map(() => ({ blocks: 0, seats: 0 }));

  /** Copies of an iteration that is formed in vain are forgotten where nothing else asks for them, as in vLLM V0. */
  const isPlain = !part.forPriority && part.betweenTurns === 'drop';
  function owe(replica: Replica, more: number): void {
    if (isPlain) replica.copySeconds += more;
    else replica.owedSeconds += more;
  }
  const linksOf = ({ index }: Replica) => links[index] as (typeof links)[number];
  function runs(replica: Replica, id: number, fromTokens: number, toTokens: number): number {
    const { blockTokens } = replica;
    const from = Math.floor(fromTokens / blockTokens);
    const to = Math.ceil(toTokens / blockTokens);
    if (replica.runs !== undefined) return replica.runs.count(id, from, to);
    return parts.alloc.grows ? to - from : 1;
  }
  function seconds(replica: Replica, id: number, from: number, to: number): number {
    if (to <= from) return 0;
    const calls = 2 * layers * runs(replica, id, from, to);
    const bytes = (to - from) * state.kvBytesPerToken;
    return calls * part.callMicroseconds * 1e-6 + bytes / (part.hostGigabytesPerSecond * 1e9);
  }
  const outFrom = (id: number) => (part.keepsCopy ? (copied[id] as number) : 0);
  const keep = (replica: Replica, id: number, tokens: number): void => {
    hostTokens[replica.index] =
      (hostTokens[replica.index] as number) + tokens - (copied[id] as number);
    copied[id] = tokens;
  };
  /** Copies of requests that are inside are given up for one that must go out. */
  function hasRoom(replica: Replica, more: number): boolean {
    for (const id of replica.decoding) {
      if ((hostTokens[replica.index] as number) + more <= capacityTokens) return true;
      keep(replica, id, 0);
    }
    return (hostTokens[replica.index] as number) + more <= capacityTokens;
  }
  function begin(id: number, copy: Copy, tokens: number, from: number): void {
    const { replica } = copy;
    const way = copy.kind === 'out' || copy.kind === 'turn-out' ? 'out' : 'back';
    const wanted = seconds(replica, id, from, from + tokens);
    copies.set(id, copy);
    due.push(linksOf(replica)[way].send(tokens, wanted, state.nowSeconds), id);
  }

  return {
    out(replica, id, isForced) {
      const tokens = requests.processed[id] as number;
      if (!hasRoom(replica, tokens - (copied[id] as number))) return false;
      const from = outFrom(id);
      const wanted = seconds(replica, id, from, tokens);
      leaveDecoding(state, replica, id);
      state.swaps++;
      state.movedTokens += tokens - from;
      keep(replica, id, tokens);
      if (!isAsynchronous || isForced) {
        returnBlocks(state, replica, id, false);
        owe(replica, wanted);
        replica.swapped.pushBack(id);
        return true;
      }
      const blocks = requests.blocksHeld[id] as number;
      const counts = onTheirWay[replica.index] as { blocks: number; seats: number };
      counts.blocks += blocks;
      counts.seats++;
      begin(id, { kind: 'out', replica, blocks }, tokens - from, from);
      return true;
    },
    back(replica, id) {
      const tokens = requests.processed[id] as number;
      holdBlocks(state, replica, id, parts.alloc.heldBlocks(tokens));
      state.movedTokens += tokens;
      if (!part.keepsCopy) keep(replica, id, 0);
      if (!isAsynchronous) {
        owe(replica, seconds(replica, id, 0, tokens));
        joinDecoding(state, replica, id, 0);
        return;
      }
      replica.loading.add(id);
      begin(id, { kind: 'back', replica }, tokens, 0);
    },
    outSeconds: (replica, id) =>
      seconds(replica, id, outFrom(id), requests.processed[id] as number),
    backSeconds(id) {
      const tokens = requests.processed[id] as number;
      const blocks = parts.alloc.heldBlocks(tokens);
      // Where its blocks will lie is not known: as if in whole groups.
      const groups = part.groupBlocks === undefined ? blocks : Math.ceil(blocks / part.groupBlocks);
      const calls = 2 * layers * (parts.alloc.grows ? groups : 1);
      const bytes = tokens * state.kvBytesPerToken;
      return calls * part.callMicroseconds * 1e-6 + bytes / (part.hostGigabytesPerSecond * 1e9);
    },
    leaving: (replica) => onTheirWay[replica.index] as { blocks: number; seats: number },
    turnEnds(replica, id) {
      const stays = part.betweenTurns === 'host' && sends.hasSuccessors(id);
      const tokens = (requests.totalTokens[id] as number) - 1;
      if (!stays || !hasRoom(replica, tokens - (copied[id] as number))) {
        keep(replica, id, 0);
        return false;
      }
      const from = outFrom(id);
      state.movedTokens += tokens - from;
      keep(replica, id, tokens);
      turns.set(id, replica);
      if (!isAsynchronous) {
        owe(replica, seconds(replica, id, from, tokens));
        return false;
      }
      begin(id, { kind: 'turn-out', replica }, tokens - from, from);
      return true;
    },
    turnEnters(replica, id) {
      const before = predecessorOf(workload, id);
      const home = before === undefined ? undefined : turns.get(before);
      if (before === undefined || home === undefined) return undefined;
      turns.delete(before);
      const there = copied[before] as number;
      keep(home, before, 0);
      if (home !== replica || copies.has(before)) return undefined;
      // The last token of a prompt is always computed: its output is the next token.
      const tokens = Math.min(
        there,
        commonPrefixTokens(workload, before, id),
        (requests.prefillTokens[id] as number) - 1,
      );
      if (tokens <= 0) return undefined;
      if (part.keepsCopy) keep(replica, id, tokens);
      state.movedTokens += tokens;
      if (!isAsynchronous) {
        owe(replica, seconds(replica, id, 0, tokens));
        return { ...COPIED_AS_IT_WAS, processedTokens: tokens, overlapsUntilSeconds: -Infinity };
      }
      begin(id, { kind: 'turn-in', replica, tokens }, tokens, 0);
      return { ...COPIED_AS_IT_WAS, processedTokens: tokens, overlapsUntilSeconds: undefined };
    },
    nextSeconds: () => due.firstSeconds(),
    handle(now, touch) {
      while (due.firstSeconds() <= now) {
        const id = due.pop();
        const copy = copies.get(id) as Copy;
        const { replica } = copy;
        copies.delete(id);
        if (copy.kind === 'turn-out') dropBlocks(state, replica, id);
        else if (copy.kind === 'out') {
          const counts = onTheirWay[replica.index] as { blocks: number; seats: number };
          counts.blocks -= copy.blocks;
          counts.seats--;
          letGoOfSeat(state, replica, id);
          dropBlocks(state, replica, id);
          replica.swapped.pushBack(id);
        } else {
          if (copy.kind === 'back') replica.joining.push(id);
          else {
            replica.loading.delete(id);
            requests.processed[id] = copy.tokens;
            replica.tail.push(id);
          }
        }
        touch(replica);
      }
    },
    lanes: () =>
      links.flatMap(({ out, back }, i) => [
        ...(out.log.start.length > 0
          ? [takeLane(out.log, `swap-out-${i}`, `replica ${i} to host`, 'link', 0)]
          : []),
        ...(back.log.start.length > 0
          ? [takeLane(back.log, `swap-in-${i}`, `host to replica ${i}`, 'link', 0)]
          : []),
      ]),
  };
}

/** The turn before, where a request comes of exactly one. */
function predecessorOf({ programs }: Workload, id: number): number | undefined {
  if (programs === undefined) return undefined;
  const from = programs.offsets[id] as number;
  const to = programs.offsets[id + 1] as number;
  return to - from === 1 ? programs.predecessors[from] : undefined;
}

/** Copies of one direction, one after the other. */
function createCopyLink() {
  const log = createLaneLog();
  let freeAt = 0;
  return {
    log,
    /** @returns when it ends */
    send(tokens: number, seconds: number, now: number): number {
      const start = Math.max(now, freeAt);
      freeAt = start + seconds;
      log.start.push(start);
      log.duration.push(seconds);
      log.prefill.push(tokens);
      log.decode.push(0);
      log.batch.push(1);
      log.queue.push(0);
      log.kv.push(0);
      return freeAt;
    },
  };
}

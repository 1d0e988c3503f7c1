import type { BatchFormer } from '../policies/policy';
import { decodeBatch } from '../policies/vllm';
import type { Engine } from './engine';
import { createIdQueue, type IdQueue } from './id-queue';
import type { Link } from './link';
import {
  blocksFor,
  pushRunning,
  type Replica,
  releaseBlocks,
  takeLane,
  takeLinkLane,
} from './replica';
import type { Requests } from './requests';
import { leastOutstanding, type Topology } from './topology';

export interface DisaggregatedOptions {
  readonly prefill: readonly Replica[];
  readonly decode: readonly Replica[];
  /** One ingress link per decode replica. */
  readonly links: readonly Link[];
  readonly prefillFormer: BatchFormer;
  readonly maxDecodeSequences: number;
  readonly pullThreshold: number;
}

interface DecodeSide {
  readonly replica: Replica;
  readonly link: Link;
  /** Prefilled, assigned here, KV still on the prefill side. */
  readonly unpulled: IdQueue;
  /** Transferred, waiting for a place in the batch. */
  readonly arrived: IdQueue;
  /** Blocks of requests pulled but not decoding yet. */
  waitingBlocks: number;
}

/**
 * Prefill and decode pools after DistServe (Zhong et al., 2024). A request goes to the prefill
 * replica with the fewest unfinished requests; when its prefill has emitted the first token it is
 * assigned to the decode replica with the fewest, which pulls it, first come first served, while
 * the blocks its waiting list needs stay under `pullThreshold` of its blocks and its own blocks fit.
 * The KV occupies both sides during the transfer. Where decoding runs out of blocks, the newest
 * request goes back to the front of its prefill replica's queue and is computed again: DistServe
 * swaps instead, which the simulator does not have.
 */
export function createDisaggregated(requests: Requests, options: DisaggregatedOptions): Topology {
  const { prefill, decode, links, maxDecodeSequences } = options;
  const sides: readonly DecodeSide[] = decode.map((replica, i) => ({
    replica,
    link: links[i] as Link,
    unpulled: createIdQueue(),
    arrived: createIdQueue(),
    waitingBlocks: 0,
  }));
  const sideOf = new Map(sides.map((side) => [side.replica, side]));
  /** Prefill replica whose blocks hold the request's KV. */
  const sourceOf = new Int16Array(requests.count).fill(-1);

  function pull(side: DecodeSide, now: number): void {
    const { replica, link, unpulled } = side;
    while (unpulled.length > 0) {
      const id = unpulled.at(0);
      const needed = blocksFor(replica, requests.processed[id] as number);
      const { total, used, watermark } = replica.blocks;
      // An empty waiting list may always pull: else a long prompt could never pass the threshold.
      const isUnderThreshold =
        side.waitingBlocks === 0 || side.waitingBlocks + needed < options.pullThreshold * total;
      if (!isUnderThreshold || total - used - needed < watermark) return;
      unpulled.popFront();
      replica.blocks.used += needed;
      side.waitingBlocks += needed;
      link.send(id, (requests.processed[id] as number) - 1, now);
    }
  }

  function finishTransfer(side: DecodeSide): void {
    const id = side.link.finish();
    const source = prefill[sourceOf[id] as number] as Replica;
    releaseBlocks(source, requests, id);
    source.outstanding--;
    requests.blocksHeld[id] = blocksFor(side.replica, requests.processed[id] as number);
    side.arrived.pushBack(id);
  }

  function joinBatch(side: DecodeSide): void {
    const { replica, arrived } = side;
    while (arrived.length > 0 && replica.runningCount < maxDecodeSequences) {
      const id = arrived.popFront();
      side.waitingBlocks -= requests.blocksHeld[id] as number;
      replica.holders++;
      pushRunning(replica, id);
    }
  }

  const decodeFormer: BatchFormer = (replica, context) => {
    decodeBatch(replica, context, maxDecodeSequences);
  };

  let hasPreempted = false;

  function dispatchOnce(engine: Engine, now: number): void {
    for (const side of sides) pull(side, now);
    for (const replica of prefill) {
      if (!replica.isBusy && replica.waiting.length > 0)
        engine.start(replica, options.prefillFormer, now);
    }
    for (const side of sides) {
      if (side.replica.isBusy) continue;
      joinBatch(side);
      if (side.replica.runningCount > 0) engine.start(side.replica, decodeFormer, now);
    }
  }

  return {
    replicas: [...prefill, ...decode],
    hooks: {
      onPrefilled(replica, id) {
        sourceOf[id] = replica.index;
        const target = leastOutstanding(decode);
        target.outstanding++;
        sideOf.get(target)?.unpulled.pushBack(id);
        return true;
      },
      onPreempted(replica, id) {
        hasPreempted = true;
        replica.outstanding--;
        const source = prefill[sourceOf[id] as number] as Replica;
        source.outstanding++;
        source.waiting.pushFront(id);
      },
      onCompleted(replica) {
        replica.outstanding--;
      },
    },
    admit(id) {
      const replica = leastOutstanding(prefill);
      replica.outstanding++;
      replica.waiting.pushBack(id);
    },
    nextEventSeconds() {
      let next = Infinity;
      for (const { link } of sides) next = Math.min(next, link.nextEndSeconds());
      return next;
    },
    handleEvents(now) {
      for (const side of sides) while (side.link.nextEndSeconds() <= now) finishTransfer(side);
    },
    dispatch(engine, now) {
      // A preemption on the decode side gives the prefill side work at this very instant.
      do {
        hasPreempted = false;
        dispatchOnce(engine, now);
      } while (hasPreempted);
    },
    lanes: () => [
      ...prefill.map((replica, i) =>
        takeLane(
          replica.log,
          `prefill-${i}`,
          `Prefill replica ${i}`,
          'prefill',
          replica.blocks.total,
        ),
      ),
      ...sides.flatMap(({ replica, link }, i) => [
        takeLinkLane(link.log, `link-${i}`, `KV link to decode replica ${i}`),
        takeLane(replica.log, `decode-${i}`, `Decode replica ${i}`, 'decode', replica.blocks.total),
      ]),
    ],
  };
}

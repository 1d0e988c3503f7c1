import type { RequestPrograms, Workload } from '../../workload/types';
import type { SessionView } from '../parts/eviction';

/** The first request that comes of each; -1 for none. */
export function firstFollowers(
  { offsets, predecessors }: RequestPrograms,
  count: number,
): Int32Array {
  const followers = new Int32Array(count).fill(-1);
  for (let id = count - 1; id >= 0; id--)
    for (let i = offsets[id] as number; i < (offsets[id + 1] as number); i++)
      followers[predecessors[i] as number] = id;
  return followers;
}

/** What happened to sessions, for those who decide about their KV. */
export interface SessionBook {
  readonly ownerOf: (id: number) => number;
  onSent(id: number, nowSeconds: number): void;
  onCompleted(id: number, nowSeconds: number): void;
  viewOf(owner: number): SessionView;
}

/** Gaps of a tool that are remembered. */
const REMEMBERED = 100;

interface Session {
  lastEndSeconds: number;
  /** Turns that were sent and are not complete. */
  open: number;
  isOver: boolean;
  tool: number;
}

/** A session is a program, or a request alone where there are none. */
export function createSessionBook({ programs }: Workload, count: number): SessionBook {
  const followers = programs === undefined ? undefined : firstFollowers(programs, count);
  const sessions = new Map<number, Session>();
  const gaps = new Map<number, number[]>();
  const ownerOf = (id: number) => programs?.programIds[id] ?? id;
  const toolBefore = (id: number) => programs?.tools?.[id] ?? 0;
  function sessionOf(owner: number): Session {
    let session = sessions.get(owner);
    if (session === undefined) {
      session = { lastEndSeconds: Number.NaN, open: 0, isOver: false, tool: 0 };
      sessions.set(owner, session);
    }
    return session;
  }
  return {
    ownerOf,
    onSent(id, now) {
      const session = sessionOf(ownerOf(id));
      session.open++;
      if (Number.isNaN(session.lastEndSeconds)) return;
      const seen = gaps.get(toolBefore(id)) ?? [];
      gaps.set(toolBefore(id), seen);
      seen.push(now - session.lastEndSeconds);
      if (seen.length > REMEMBERED) seen.shift();
    },
    onCompleted(id, now) {
      const session = sessionOf(ownerOf(id));
      session.open--;
      session.lastEndSeconds = now;
      const next = followers?.[id] ?? -1;
      session.isOver = next < 0;
      if (next >= 0) session.tool = toolBefore(next);
    },
    viewOf(owner) {
      const session = sessionOf(owner);
      return {
        lastEndSeconds: Number.isNaN(session.lastEndSeconds) ? 0 : session.lastEndSeconds,
        isOver: session.isOver,
        isBack: session.open > 0,
        gapsSeconds: gaps.get(session.tool) ?? [],
      };
    },
  };
}

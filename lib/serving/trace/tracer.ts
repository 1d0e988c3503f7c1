import type { Activity, Blocker, TracePhase, TracePreemption } from './types';

/** A phase while it lasts: its counts still grow. */
interface OpenPhase {
  startSeconds: number;
  lane: number;
  activity: Activity;
}

/**
 * Follows one request through a run. An engine that has one tells it where the request is (`home`),
 * what each iteration does with it, and what stopped the head of its queue. One without pays a
 * comparison with undefined.
 */
export interface RequestTracer {
  readonly id: number;
  /** Replica whose iterations decide over it; -1 before it arrives and after it ends. */
  home: number;
  /** What stopped the first request of the home's queue in the iteration being formed. */
  blocker: Blocker | undefined;
  /** What stopped the traced request itself, in the middle of its prompt. */
  ownBlocker: Blocker | undefined;
  /** The first request of the home's queue. */
  head: number | undefined;
  /** Tokens of reused chunks that its prompt computes again, since it entered. */
  repairTokens: number;
  /** Why it was refused, and when. */
  readonly refusal: { readonly atSeconds: number; readonly why: string } | undefined;
  /** The instant that the engine is at. */
  nowSeconds: number;
  readonly isDone: boolean;
  readonly hasRun: boolean;
  /** Takes part in something until then: what comes next begins no earlier. */
  readonly busyUntilSeconds: number;
  arrived(atSeconds: number): void;
  /** From `atSeconds` on it does this; goes on with the phase under way where that is the same. */
  enter(atSeconds: number, lane: number, activity: Activity): void;
  /** The same, of work that lasts until `untilSeconds` whatever is decided meanwhile. */
  work(atSeconds: number, untilSeconds: number, lane: number, activity: Activity): void;
  /** Iterations that have ended with the request decoding, or stalled, in them. */
  count(iterations: number, isMixed: boolean): void;
  preempted(
    atSeconds: number,
    cause: TracePreemption['cause'],
    by: number | undefined,
    tokens: number,
    isSwap: boolean,
  ): void;
  ended(atSeconds: number): void;
  refused(atSeconds: number, why: string): void;
  /** The prefill under way ends before its tokens are done. */
  cutShort(): void;
  /** The work under way lasts so much longer because of what runs beside it. */
  slowed(seconds: number): void;
  /** Phases up to `atSeconds`, the one under way cut there. */
  take(atSeconds: number): {
    readonly phases: readonly TracePhase[];
    readonly preemptions: readonly TracePreemption[];
  };
}

/** Whether a phase goes on: prompt chunks are told one by one, waiting by its reason. */
function goesOn(before: Activity, next: Activity): boolean {
  if (before.kind !== next.kind || next.kind === 'prefill') return false;
  if ('blocker' in before && 'blocker' in next && before.blocker?.type !== next.blocker?.type)
    return false;
  return !('behind' in before && 'behind' in next) || before.behind === next.behind;
}

export function createTracer(id: number): RequestTracer {
  const phases: TracePhase[] = [];
  const preemptions: TracePreemption[] = [];
  let open: OpenPhase | undefined;
  let busyUntil = -Infinity;
  let hasRun = false;
  let isDone = false;
  let refusal: RequestTracer['refusal'];

  function close(atSeconds: number): void {
    if (open !== undefined && atSeconds > open.startSeconds)
      phases.push({ ...open, endSeconds: atSeconds });
    open = undefined;
  }

  const tracer = {
    id,
    home: -1,
    blocker: undefined as Blocker | undefined,
    ownBlocker: undefined as Blocker | undefined,
    head: undefined as number | undefined,
    repairTokens: 0,
    get refusal() {
      return refusal;
    },
    nowSeconds: 0,
    get isDone() {
      return isDone;
    },
    get hasRun() {
      return hasRun;
    },
    get busyUntilSeconds() {
      return busyUntil;
    },
    arrived(atSeconds: number) {
      open = { startSeconds: atSeconds, lane: -1, activity: { kind: 'iteration' } };
    },
    enter(atSeconds: number, lane: number, activity: Activity) {
      if (isDone || open === undefined) return;
      const at = Math.max(atSeconds, busyUntil, open.startSeconds);
      if (open.lane === lane && goesOn(open.activity, activity)) return;
      close(at);
      open = { startSeconds: at, lane, activity };
    },
    work(atSeconds: number, untilSeconds: number, lane: number, activity: Activity) {
      if (activity.kind === 'prefill' || activity.kind === 'decode') hasRun = true;
      tracer.enter(atSeconds, lane, activity);
      busyUntil = Math.max(busyUntil, untilSeconds);
    },
    count(iterations: number, isMixed: boolean) {
      if (open?.activity.kind === 'decode') {
        const { activity } = open;
        open.activity = {
          ...activity,
          tokens: activity.tokens + iterations,
          mixedIterations: activity.mixedIterations + (isMixed ? iterations : 0),
        };
      } else if (open?.activity.kind === 'stalled') {
        const { activity } = open;
        open.activity = { ...activity, iterations: activity.iterations + iterations };
      }
    },
    preempted(
      atSeconds: number,
      cause: TracePreemption['cause'],
      by: number | undefined,
      tokens: number,
      isSwap: boolean,
    ) {
      preemptions.push({ atSeconds, cause, by: by === id ? undefined : by, tokens, isSwap });
    },
    ended(atSeconds: number) {
      if (isDone) return;
      close(atSeconds);
      isDone = true;
      tracer.home = -1;
    },
    refused(atSeconds: number, why: string) {
      refusal ??= { atSeconds, why };
      tracer.ended(atSeconds);
    },
    cutShort() {
      if (open?.activity.kind === 'prefill')
        open.activity = { ...open.activity, isLast: false, isCut: true };
    },
    slowed(seconds: number) {
      const activity = open?.activity;
      if (open === undefined || (activity?.kind !== 'prefill' && activity?.kind !== 'decode'))
        return;
      open.activity = { ...activity, slowedSeconds: (activity.slowedSeconds ?? 0) + seconds };
    },
    take(atSeconds: number) {
      const cut = phases.filter(({ startSeconds }) => startSeconds < atSeconds);
      if (open !== undefined && atSeconds > open.startSeconds)
        cut.push({ ...open, endSeconds: atSeconds });
      return { phases: cut, preemptions: [...preemptions] };
    },
  };
  return tracer;
}

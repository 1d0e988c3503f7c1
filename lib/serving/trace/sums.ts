import type { Activity, Blocker, RequestTrace, TracePhase } from './types';

/** What a reader colours and sums: a handful of groups of activities. */
export const TRACE_GROUPS = ['waiting', 'prefill', 'decode', 'stalled', 'transfer'] as const;
export type TraceGroup = (typeof TRACE_GROUPS)[number];

export function groupOf(activity: Activity): TraceGroup {
  switch (activity.kind) {
    case 'prefill':
      return 'prefill';
    case 'decode':
      return 'decode';
    case 'stalled':
    case 'paused':
    case 'stopped':
    case 'swapped':
      return 'stalled';
    case 'transfer':
    case 'link':
    case 'pull':
    case 'fetch':
    case 'fetch-queue':
      return 'transfer';
    default:
      return 'waiting';
  }
}

/** Seconds by group, and of the waiting by what was missing, the longest first. */
export function traceSums({ phases }: Pick<RequestTrace, 'phases'>): {
  readonly groups: Readonly<Record<TraceGroup, number>>;
  readonly reasons: readonly { readonly reason: string; readonly seconds: number }[];
} {
  const groups = { waiting: 0, prefill: 0, decode: 0, stalled: 0, transfer: 0 };
  const reasons = new Map<string, number>();
  for (const phase of phases) {
    const seconds = phase.endSeconds - phase.startSeconds;
    groups[groupOf(phase.activity)] += seconds;
    const add = (reason: string | undefined, more: number) => {
      if (reason !== undefined && more > 0) reasons.set(reason, (reasons.get(reason) ?? 0) + more);
    };
    add(reasonOf(phase), seconds);
    const { activity } = phase;
    if (activity.kind === 'prefill') add('KV being read', activity.loadSeconds ?? 0);
    if (activity.kind === 'prefill' || activity.kind === 'decode')
      add("the other phase's share of the accelerator", activity.slowedSeconds ?? 0);
  }
  return {
    groups,
    reasons: [...reasons]
      .map(([reason, seconds]) => ({ reason, seconds }))
      .sort((a, b) => b.seconds - a.seconds),
  };
}

const REASONS = {
  seats: 'no seat free',
  blocks: 'KV blocks short',
  reservation: 'KV promised to others',
  'future-peak': 'later memory peak',
  budget: 'token budget used up',
  phase: "the former's rule",
  'swapped-first': 'swapped requests first',
  preempting: 'a step that preempts',
  'layer-set': 'a set on its way through the layers',
  urgency: 'more urgent prompts',
  'spare-time': 'time that others keep to spare',
} as const satisfies Record<Blocker['type'], string>;

/** Why a phase is not work, in a few words; undefined for work. */
export function reasonOf({ activity }: Pick<TracePhase, 'activity'>): string | undefined {
  switch (activity.kind) {
    case 'queued':
    case 'paused':
    case 'pull':
      return activity.blocker === undefined ? 'behind others' : REASONS[activity.blocker.type];
    case 'iteration':
      return 'iteration under way';
    case 'boundary':
      return 'between two steps';
    case 'front-end':
      return 'front end';
    case 'outside':
      return 'no replica takes it';
    case 'stopped':
      return 'more urgent prompts';
    case 'fetch-queue':
      return 'a store busy with other reads';
    case 'fetch':
      return 'KV being read';
    case 'transfer':
      return 'KV being moved';
    case 'stalled':
      return 'prompts of others';
    case 'swapped':
      return 'swapped to host memory';
    case 'link':
      return 'link busy';
    default:
      return undefined;
  }
}

import { traceSums } from './sums';
import type { Activity, Blocker, RequestTrace, TracePreemption } from './types';

const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

const holdersText = (requests: number, pins: number): string =>
  [
    ...(requests > 0 || pins === 0 ? [plural(requests, 'request')] : []),
    ...(pins > 0 ? [plural(pins, 'pinned turn')] : []),
  ].join(' and ');

/** What is missing, as the end of "…, because". */
export function blockerText(blocker: Blocker): string {
  switch (blocker.type) {
    case 'seats':
      return `all ${blocker.limit} seats are taken`;
    case 'blocks':
      return `${blocker.needed} KV blocks are needed and ${blocker.free} of ${blocker.total} are free (${holdersText(blocker.holders, blocker.pins ?? 0)} hold the rest)`;
    case 'reservation':
      return `${blocker.needed} KV blocks must be promised and ${Math.max(0, blocker.free)} of ${blocker.total} are not promised yet`;
    case 'future-peak':
      return `with it a later iteration would need more than all ${blocker.total} KV blocks`;
    case 'budget':
      return `the iteration's tokens are used up${Number.isFinite(blocker.limit) ? ` (${blocker.limit})` : ''}: ${blocker.decodeTokens} by decodes, ${blocker.promptTokens} by other prompts`;
    case 'phase':
      return {
        'batch-runs-on': 'the batch runs to its last request before another one is formed',
        patience: 'the batch former lets decodes go on for a while before it looks at the queue',
        'decodes-only': 'the batch former lets no prompt into this iteration',
      }[blocker.rule];
    case 'swapped-first':
      return `${plural(blocker.count, 'request')} swapped to host memory come back first`;
    case 'preempting':
      return 'the step took blocks from running requests, and such a step admits nobody';
    case 'layer-set':
      return `a set of ${plural(blocker.tokens, 'token')} is on its way through the layers (group ${blocker.group} of ${blocker.groups}), and nobody joins it`;
    case 'urgency':
      return `request ${blocker.by}, which was stopped, has less time to spare`;
    case 'spare-time':
      return `with it request ${blocker.of} would keep too little time to spare`;
  }
}

function waitText(what: string, blocker: Blocker | undefined, behind: number | undefined): string {
  const order = behind === undefined ? '' : ` behind request ${behind}`;
  return `${what}${order}${blocker === undefined ? '' : `, because ${blockerText(blocker)}`}`;
}

const milliseconds = (seconds: number): string => `${Number((seconds * 1e3).toPrecision(3))} ms`;

type Prefill = Extract<Activity, { kind: 'prefill' }>;

function prefillText(activity: Prefill): string {
  const {
    tokens,
    context,
    reusedTokens = 0,
    repairTokens = 0,
    layers,
    isAgain,
    isResumed,
  } = activity;
  const verb = isResumed ? 'goes on with' : isAgain ? 'computes again' : 'prefills';
  const after = context > 0 ? ` after ${context}` : '';
  const reused = reusedTokens > 0 ? `, ${reusedTokens} of them from a cache` : '';
  const repair = repairTokens > 0 ? ` (${repairTokens} of them repair reused chunks)` : '';
  const group =
    layers === undefined ? '' : ` in group ${layers.group} of ${layers.groups} of the layers`;
  return `${verb} ${plural(tokens, 'token')}${repair}${after}${reused}${group}`;
}

function lengthenedText(activity: Prefill | Extract<Activity, { kind: 'decode' }>): string {
  const slowed = activity.slowedSeconds ?? 0;
  const load = activity.kind === 'prefill' ? (activity.loadSeconds ?? 0) : 0;
  const other = activity.kind === 'prefill' ? 'decodes' : 'prompts';
  return `${load > 0 ? `, ${milliseconds(load)} of it until cached KV had arrived` : ''}${slowed > 0 ? `, ${milliseconds(slowed)} longer for the SMs and the bandwidth that ${other} had` : ''}`;
}

/** One phase as a sentence without its end. */
export function activityText(activity: Activity): string {
  switch (activity.kind) {
    case 'front-end':
      return 'is read and tokenised by the front end';
    case 'outside':
      return 'waits in front of the replicas, none of which takes it, and asks again';
    case 'iteration':
      return 'waits for the iteration under way to end';
    case 'boundary':
      return 'waits between two steps';
    case 'queued':
      return waitText(
        activity.isAgain ? 'waits to be computed again' : 'waits in the queue',
        activity.blocker,
        activity.behind,
      );
    case 'prefill': {
      const beside = [
        ...(activity.decodes > 0 ? [plural(activity.decodes, 'decode')] : []),
        ...(activity.otherPromptTokens > 0
          ? [`${plural(activity.otherPromptTokens, 'token')} of other prompts`]
          : []),
      ];
      return `${prefillText(activity)}${beside.length > 0 ? ` beside ${beside.join(' and ')}` : ''}${activity.isLast ? ', and emits a token' : ''}${activity.isCut ? ', and is stopped on the way' : ''}${lengthenedText(activity)}`;
    }
    case 'paused':
      return waitText('has begun its prompt and gets no tokens', activity.blocker, undefined);
    case 'decode':
      return `decodes ${plural(activity.tokens, 'token')} in a batch of ${activity.batch}${activity.mixedIterations > 0 ? `, ${plural(activity.mixedIterations, 'iteration')} of them lengthened by prompts` : ''}${lengthenedText(activity)}`;
    case 'stalled':
      return `stalls: ${plural(activity.iterations, 'iteration')} of prompts only (${plural(activity.promptTokens, 'token')} in the first)`;
    case 'swapped':
      return 'waits with its KV in host memory, until there is room for it again';
    case 'stopped':
      return `is stopped at an operator${activity.by === undefined ? '' : `, for request ${activity.by}, which has less time to spare`}: ${milliseconds(activity.doneSeconds)} of ${milliseconds(activity.wholeSeconds)} are done`;
    case 'fetch-queue':
      return `waits for the reads of others from ${activity.from}`;
    case 'fetch':
      return `KV of ${plural(activity.tokens, 'token')} is read from ${activity.from}`;
    case 'pull':
      return waitText(
        'is prefilled and waits for a place on the decode side',
        activity.blocker,
        activity.behind,
      );
    case 'link':
      return `waits for the link, behind ${plural(activity.ahead, 'transfer')}`;
    case 'transfer':
      return `its KV of ${plural(activity.kvTokens, 'token')} moves over the link`;
  }
}

export function preemptionText(preemption: TracePreemption): string {
  const { cause, by, tokens, isSwap } = preemption;
  const whom = by === undefined ? 'itself, the last in the list' : `request ${by}`;
  const why =
    cause === 'memory' ? `to free KV blocks for ${whom}` : `for ${whom}, which has priority`;
  return `preempted ${why}: the KV of ${plural(tokens, 'token')} ${isSwap ? 'goes to host memory' : 'is dropped and computed again'}`;
}

/** The answer in one sentence: how long it took, and what most of the waiting was for. */
export function traceSummary(trace: RequestTrace, print: (seconds: number) => string): string {
  const total = trace.endSeconds - trace.arrivalSeconds;
  if (trace.end === 'refused') {
    const why = trace.refusal ?? 'can never fit in KV memory';
    return `request ${trace.id} ${why} and was refused ${total > 0 ? `after ${print(total)}` : 'on arrival'}`;
  }
  if (trace.end === 'unsent') return `request ${trace.id} had not been sent when the run ended`;
  const [first] = traceSums(trace).reasons;
  const most =
    first === undefined
      ? 'it never waited'
      : `it waited longest for: ${first.reason} (${print(first.seconds)}, ${Math.round((100 * first.seconds) / total)} %)`;
  const state = trace.end === 'unfinished' ? 'had not ended after' : 'took';
  const { origin } = trace;
  const sent =
    origin === undefined
      ? ''
      : `, sent ${print(origin.gapSeconds)} after request ${origin.after} had ended`;
  return `request ${trace.id}${sent}${sent === '' ? '' : ','} ${state} ${print(total)}; ${most}`;
}

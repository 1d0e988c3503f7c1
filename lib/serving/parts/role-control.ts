export const STAGES = ['encode', 'prefill', 'decode'] as const;
export type Stage = (typeof STAGES)[number];

/**
 * The stage that gets a worker, and the one that gives it (EPD): to the longest queue, unless every queue
 * has at least half of that; from the shortest of the others with more than one worker.
 *
 * @param queues seconds of work that waits, for each worker of the stage
 */
export function chooseSwitch(
  queues: Readonly<Record<Stage, number>>,
  workers: Readonly<Record<Stage, number>>,
): { readonly from: Stage; readonly to: Stage } | undefined {
  const to = STAGES.reduce((most, each) => (queues[each] > queues[most] ? each : most));
  if (queues[to] === 0 || STAGES.every((each) => 2 * queues[each] >= queues[to])) return undefined;
  const givers = STAGES.filter((each) => each !== to && workers[each] > 1);
  const from = givers.toSorted((a, b) => queues[a] - queues[b] || workers[b] - workers[a])[0];
  return from === undefined ? undefined : { from, to };
}

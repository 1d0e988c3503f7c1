/** A piece of work on one lane, after others. */
export interface LaneTask {
  readonly lane: number;
  readonly seconds: number;
  /** Indices of the tasks that must have ended. */
  readonly after: readonly number[];
}

export interface LaneSchedule {
  readonly startSeconds: Float64Array;
  readonly endSeconds: Float64Array;
  readonly makespanSeconds: number;
  /** By lane. */
  readonly busySeconds: readonly number[];
  /** Idle share of each lane from the start to its last task's end. */
  readonly idleShare: readonly number[];
}

/**
 * Which of the tasks that a lane could start now it starts.
 * - `in-order`: strictly by index: a lane waits for its next task even when a later one is ready.
 * - `first-ready`: the ready task of the smallest index.
 * - `most-unblocked`: the ready task that lets the most work of the first lane start (mllm-NPU's
 *   score: seconds there whose last missing dependency it is); the smallest index among equals.
 */
export type LaneOrder = 'in-order' | 'first-ready' | 'most-unblocked';

/**
 * List scheduling of tasks over lanes that each run one at a time, without preemption.
 * @throws Error when the dependencies have a cycle, or in-order lanes wait for each other
 */
export function scheduleLanes(
  tasks: readonly LaneTask[],
  laneCount: number,
  order: LaneOrder,
): LaneSchedule {
  const startSeconds = new Float64Array(tasks.length).fill(Number.NaN);
  const endSeconds = new Float64Array(tasks.length).fill(Number.NaN);
  const missing = Int32Array.from(tasks, ({ after }) => after.length);
  const followers: number[][] = tasks.map(() => []);
  for (const [i, { after }] of tasks.entries()) {
    for (const before of after) followers[before]?.push(i);
  }
  const lanes = Array.from({ length: laneCount }, (_, lane) =>
    tasks.flatMap((task, i) => (task.lane === lane ? [i] : [])),
  );
  const running = new Int32Array(laneCount).fill(-1);
  const left = lanes.map((list) => [...list]);

  /** Seconds of the first lane that wait for this task alone. */
  const unblocked = (index: number): number =>
    (followers[index] ?? []).reduce((sum, next) => {
      const task = tasks[next] as LaneTask;
      return sum + (task.lane === 0 && missing[next] === 1 ? task.seconds : 0);
    }, 0);

  function pick(lane: number): number {
    const list = left[lane] as number[];
    if (order === 'in-order') return missing[list[0] ?? -1] === 0 ? 0 : -1;
    let best = -1;
    let bestScore = -1;
    for (const [at, index] of list.entries()) {
      if (missing[index] !== 0) continue;
      // The first lane takes what is ready; the others release work for it.
      const score = order === 'most-unblocked' && lane !== 0 ? unblocked(index) : 0;
      if (score > bestScore) {
        best = at;
        bestScore = score;
      }
    }
    return best;
  }

  let now = 0;
  let done = 0;
  while (done < tasks.length) {
    for (let lane = 0; lane < laneCount; lane++) {
      if (running[lane] !== -1) continue;
      const at = pick(lane);
      if (at < 0) continue;
      const [index = -1] = (left[lane] as number[]).splice(at, 1);
      running[lane] = index;
      startSeconds[index] = now;
      endSeconds[index] = now + (tasks[index] as LaneTask).seconds;
    }
    let next = Infinity;
    for (const index of running) {
      if (index >= 0) next = Math.min(next, endSeconds[index] as number);
    }
    if (next === Infinity) throw new Error('tasks wait for each other in a circle');
    now = next;
    for (let lane = 0; lane < laneCount; lane++) {
      const index = running[lane] as number;
      if (index < 0 || (endSeconds[index] as number) > now) continue;
      running[lane] = -1;
      done++;
      for (const follower of followers[index] ?? []) {
        missing[follower] = (missing[follower] as number) - 1;
      }
    }
  }
  const busySeconds = lanes.map((list) =>
    list.reduce((sum, index) => sum + (tasks[index] as LaneTask).seconds, 0),
  );
  return {
    startSeconds,
    endSeconds,
    makespanSeconds: now,
    busySeconds,
    idleShare: lanes.map((list, lane) => {
      const end = list.reduce((last, index) => Math.max(last, endSeconds[index] as number), 0);
      return end > 0 ? 1 - (busySeconds[lane] as number) / end : 0;
    }),
  };
}

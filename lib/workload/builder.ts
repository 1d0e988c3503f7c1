import { growingIntegers } from './growing';
import { type RequestColumns, reorder, timeOrder } from './reorder';
import { LIMIT_KINDS, type LimitKind, type RequestLimits } from './types';

/** One request as it is read or drawn. */
export interface NewRequest {
  /** Arrival, or where the request stands in the order if it comes of others: never before them. */
  readonly seconds: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly priority?: number;
  /** Ids of its content; none means that it shares with nobody. */
  readonly ids?: ArrayLike<number> | undefined;
  readonly programId?: number;
  /** Requests that were added before it. */
  readonly predecessors?: readonly number[];
  readonly gapSeconds?: number;
  /** Kind of tool that the gap is the time of. */
  readonly tool?: number;
  readonly limit?: {
    readonly kind: LimitKind;
    readonly groupId: number;
    readonly firstTokenSeconds: number;
    readonly lastTokenSeconds: number;
  };
  /** Images. */
  readonly items?: number;
}

export interface WorkloadBuilder {
  readonly count: number;
  /** Requests that were earlier than the one added before them. */
  readonly unsorted: number;
  /** Requests without ids. */
  readonly withoutIds: number;
  /** Gives the place that predecessors refer to. */
  add(request: NewRequest): number;
  /** All requests in order of time, from 0, divided by the scale of the rate. */
  build(options: BuildOptions): RequestColumns;
}

export interface BuildOptions {
  /** Tokens that one id stands for. */
  readonly tokensPerId: number;
  readonly rateScale: number;
  /** False drops the program ids, where it turned out that every request comes on its own. */
  readonly keepPrograms?: boolean;
  /** Moves arrival times, which are sorted; the order must stay. */
  readonly spread?: ((sortedSeconds: Float64Array) => Float64Array) | undefined;
}

/** Collects requests in columns, in any order of time. */
export function createWorkloadBuilder(): WorkloadBuilder {
  let capacity = 1024;
  let seconds = new Float64Array(capacity);
  let gaps = new Float64Array(capacity);
  const prompts = growingIntegers();
  const outputs = growingIntegers();
  const priorities = growingIntegers();
  const ids = growingIntegers();
  const idOffsets = growingIntegers();
  const programIds = growingIntegers();
  const predecessors = growingIntegers();
  const predecessorOffsets = growingIntegers();
  const tools = growingIntegers();
  const items = growingIntegers();
  const limits: NonNullable<NewRequest['limit']>[] = [];
  idOffsets.push(0);
  predecessorOffsets.push(0);
  let count = 0;
  let unsorted = 0;
  let withoutIds = 0;
  let hasPriority = false;
  let hasPrograms = false;
  let hasTools = false;
  let hasItems = false;

  return {
    get count() {
      return count;
    },
    get unsorted() {
      return unsorted;
    },
    get withoutIds() {
      return withoutIds;
    },
    add(request) {
      if (count === capacity) {
        capacity *= 2;
        seconds = grown(seconds, capacity);
        gaps = grown(gaps, capacity);
      }
      if (count > 0 && request.seconds < (seconds[count - 1] as number)) unsorted++;
      seconds[count] = request.seconds;
      gaps[count] = request.gapSeconds ?? 0;
      prompts.push(request.promptTokens);
      outputs.push(request.outputTokens);
      priorities.push(request.priority ?? 0);
      hasPriority ||= (request.priority ?? 0) !== 0;
      if (request.ids === undefined) withoutIds++;
      else ids.append(request.ids);
      idOffsets.push(ids.length);
      hasPrograms ||= request.programId !== undefined;
      programIds.push(request.programId ?? count);
      predecessors.append(request.predecessors ?? []);
      predecessorOffsets.push(predecessors.length);
      tools.push(request.tool ?? 0);
      hasTools ||= (request.tool ?? 0) !== 0;
      items.push(request.items ?? 0);
      hasItems ||= request.items !== undefined;
      if (request.limit !== undefined) limits.push(request.limit);
      return count++;
    },
    build({ tokensPerId, rateScale, keepPrograms = true, spread }) {
      const own = seconds.slice(0, count);
      const columns = reorder(
        {
          arrivalSeconds: own,
          promptTokens: prompts.finish(),
          outputTokens: outputs.finish(),
          ...(withoutIds < count && {
            content: { tokensPerId, offsets: idOffsets.finish(), ids: ids.finish() },
          }),
          ...(hasPriority && { priority: priorities.finish() }),
          ...(hasPrograms &&
            keepPrograms && {
              programs: {
                programIds: programIds.finish(),
                offsets: predecessorOffsets.finish(),
                predecessors: predecessors.finish(),
                gapSeconds: gaps.slice(0, count),
                ...(hasTools && { tools: tools.finish() }),
              },
            }),
          // All requests have limits, or none.
          ...(limits.length > 0 && limits.length === count && { limits: limitColumns(limits) }),
          ...(hasItems && { items: items.finish() }),
        },
        timeOrder(own),
      );
      const times = spread?.(columns.arrivalSeconds) ?? columns.arrivalSeconds;
      const first = times[0] ?? 0;
      return { ...columns, arrivalSeconds: times.map((time) => (time - first) / rateScale) };
    },
  };
}

function grown(from: Float64Array, capacity: number): Float64Array<ArrayBuffer> {
  const to = new Float64Array(capacity);
  to.set(from);
  return to;
}

const limitColumns = (limits: readonly NonNullable<NewRequest['limit']>[]): RequestLimits => ({
  kinds: Uint8Array.from(limits, ({ kind }) => LIMIT_KINDS.indexOf(kind)),
  groupIds: Int32Array.from(limits, ({ groupId }) => groupId),
  firstTokenSeconds: Float64Array.from(limits, ({ firstTokenSeconds }) => firstTokenSeconds),
  lastTokenSeconds: Float64Array.from(limits, ({ lastTokenSeconds }) => lastTokenSeconds),
});

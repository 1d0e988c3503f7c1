import { createRandom } from '../../random/random';
import { LIMIT_KINDS, type LimitKind, type Workload } from '../../workload/types';

/** Times that each kind of request is due after. */
export const DUE = {
  firstSeconds: 2,
  tokenSeconds: 0.1,
  deadlineSeconds: 20,
  collectiveSeconds: 30,
};
/** Requests of a group that counts as a whole. */
const GROUP = 4;

/** A third each of chats, of requests with a deadline, and of requests in groups with one deadline. */
export function mixedLoad(seed: number, perSecond: number, seconds: number): Workload {
  const random = createRandom(seed);
  const length = (median: number, sigma: number) =>
    Math.max(1, Math.round(median * Math.exp(sigma * random.normal())));
  const rows: {
    readonly at: number;
    readonly kind: LimitKind;
    readonly group: number;
    readonly prompt: number;
    readonly output: number;
  }[] = [];
  let at = 0;
  for (let group = 0; ; group++) {
    // A group of four counts as four: the same share of the requests for each kind.
    const drawn = random.integer(0, 2 * GROUP);
    const kind = drawn < GROUP ? 'latency' : drawn < 2 * GROUP ? 'deadline' : 'collective';
    at += (((3 * GROUP) / (2 * GROUP + 1)) * random.exponential()) / perSecond;
    if (at > seconds) break;
    for (let i = 0; i < (kind === 'collective' ? GROUP : 1); i++) {
      const prompt = length(kind === 'latency' ? 200 : 1000, 0.8);
      rows.push({ at, kind, group, prompt, output: length(kind === 'deadline' ? 400 : 250, 0.7) });
    }
  }
  const dueOf = ({ kind, output }: { readonly kind: LimitKind; readonly output: number }) =>
    ({
      latency: DUE.firstSeconds + output * DUE.tokenSeconds,
      deadline: DUE.deadlineSeconds,
      collective: DUE.collectiveSeconds,
    })[kind];
  return {
    arrivalSeconds: Float64Array.from(rows, (row) => row.at),
    promptTokens: Int32Array.from(rows, ({ prompt }) => prompt),
    outputTokens: Int32Array.from(rows, ({ output }) => output),
    limits: {
      kinds: Uint8Array.from(rows, ({ kind }) => LIMIT_KINDS.indexOf(kind)),
      groupIds: Int32Array.from(rows, ({ group }) => group),
      firstTokenSeconds: Float64Array.from(rows, ({ kind }) =>
        kind === 'latency' ? DUE.firstSeconds : Infinity,
      ),
      lastTokenSeconds: Float64Array.from(rows, dueOf),
    },
    label: `${rows.length} requests of three kinds at ${perSecond.toPrecision(3)}/s`,
    source: 'requests with time limits, made for a check',
    seed,
    notes: [],
  };
}

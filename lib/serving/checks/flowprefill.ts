import { createRandom } from '../../random/random';
import type { CheckProgress, CheckResult, CheckSeries, RowCheck } from './types';

/** Prompts of one kind: their share of the load, lengths (log-normal by median and P90) and TTFT deadline. */
interface PromptClass {
  readonly name: string;
  readonly share: number;
  readonly medianTokens: number;
  readonly p90Tokens: number;
  readonly ttftSeconds: number;
}

const CLASSES: readonly PromptClass[] = [
  { name: 'text', share: 0.55, medianTokens: 220, p90Tokens: 700, ttftSeconds: 0.25 },
  { name: 'image', share: 0.15, medianTokens: 700, p90Tokens: 1300, ttftSeconds: 0.5 },
  { name: 'search', share: 0.2, medianTokens: 5000, p90Tokens: 9000, ttftSeconds: 4 },
  { name: 'file', share: 0.1, medianTokens: 9000, p90Tokens: 24_000, ttftSeconds: 6 },
];
const Z90 = 1.2816;

/** Prefill of an 8 B model on one accelerator of 312 Tflop/s at 0.6: linear layers, attention, and the start of an iteration. */
const FIXED_SECONDS = 0.008;
const SECONDS_PER_TOKEN = 8.6e-5;
const SECONDS_PER_PAIR = 1.4e-9;
const MOST_BATCH_TOKENS = 2048;
const HEADROOM = 0.1;

/** Seconds of tokens [from, to) of one prompt in an iteration of its own. */
function chunkSeconds(from: number, to: number): number {
  return (
    FIXED_SECONDS +
    SECONDS_PER_TOKEN * (to - from) +
    (SECONDS_PER_PAIR * (to * to - from * from)) / 2
  );
}

interface Prompt {
  readonly arrival: number;
  readonly tokens: number;
  readonly deadline: number;
  readonly slo: number;
}

/** The class that a uniform number falls on. */
function classAt(drawn: number): PromptClass {
  let sum = 0;
  for (const kind of CLASSES) {
    sum += kind.share;
    if (drawn < sum) return kind;
  }
  return CLASSES.at(-1) as PromptClass;
}

function makePrompts(seed: number, rate: number, count: number): Prompt[] {
  const random = createRandom(seed);
  let now = 0;
  return Array.from({ length: count }, () => {
    now += random.exponential() / rate;
    const kind = classAt(random.uniform());
    const sigma = Math.log(kind.p90Tokens / kind.medianTokens) / Z90;
    const tokens = Math.max(1, Math.round(kind.medianTokens * Math.exp(sigma * random.normal())));
    return {
      arrival: now,
      tokens,
      deadline: now + kind.ttftSeconds,
      slo: kind.ttftSeconds,
    };
  });
}

export type PrefillRule =
  | { readonly type: 'fcfs' }
  /** Earliest deadline first, looked at again after every chunk. */
  | { readonly type: 'edf'; readonly chunkTokens: number }
  /** Slack decides the order, at every arrival and completion, and work stops at the next operator. */
  | { readonly type: 's-edf'; readonly operatorSeconds: number };

/** Prompts that run as one: a prompt alone, or those that the first of them takes along. */
interface Job {
  readonly head: Prompt;
  prompts: readonly Prompt[];
  wholeSeconds: number;
  executedSeconds: number;
  /** Tokens that are done, for rules by chunks. */
  doneTokens: number;
}

const alone = (head: Prompt): Job => ({
  head,
  prompts: [head],
  wholeSeconds: chunkSeconds(0, head.tokens),
  executedSeconds: 0,
  doneTokens: 0,
});

/** One iteration of chunks by deadline. @returns its seconds, and the jobs that it completes */
function edfStep(
  waiting: readonly Job[],
  chunkTokens: number,
): { readonly seconds: number; readonly complete: readonly Job[] } {
  let budget = chunkTokens;
  let seconds = FIXED_SECONDS;
  const complete: Job[] = [];
  for (const job of waiting.toSorted((a, b) => a.head.deadline - b.head.deadline)) {
    if (budget === 0) break;
    const to = Math.min(job.head.tokens, job.doneTokens + budget);
    seconds += chunkSeconds(job.doneTokens, to) - FIXED_SECONDS;
    budget -= to - job.doneTokens;
    job.doneTokens = to;
    if (to === job.head.tokens) complete.push(job);
  }
  return { seconds, complete };
}

/** Feasible jobs by deadline; then the others, the latest deadline first. */
function urgency({ head, wholeSeconds, executedSeconds }: Job, now: number): number {
  const rest = Math.max(wholeSeconds - executedSeconds, 0);
  return Math.sign(head.deadline - now - rest) / head.deadline;
}

/** A prompt that has not begun takes others along, while it keeps time to spare. @returns the jobs it took */
function fillBatch(job: Job, others: readonly Job[], now: number): readonly Job[] {
  if (job.executedSeconds > 0 || job.head.tokens > MOST_BATCH_TOKENS) return [];
  const taken: Job[] = [];
  let tokens = job.head.tokens;
  for (const other of others) {
    if (other.executedSeconds > 0 || tokens + other.head.tokens > MOST_BATCH_TOKENS) continue;
    const seconds = chunkSeconds(0, tokens + other.head.tokens);
    if (job.head.deadline - now - seconds < HEADROOM * job.head.slo) break;
    taken.push(other);
    tokens += other.head.tokens;
    job.wholeSeconds += other.wholeSeconds - FIXED_SECONDS;
  }
  job.prompts = [job.head, ...taken.map(({ head }) => head)];
  return taken;
}

/**
 * Share of the prompts whose first token is there in time, on one prefill instance with memory for all.
 * Times are seconds; prompts that are not done a minute after the last arrival count as late.
 */
export function attainment(prompts: readonly Prompt[], rule: PrefillRule): number {
  let waiting: Job[] = [];
  let next = 0;
  let now = 0;
  let inTime = 0;
  const horizon = (prompts.at(-1)?.arrival ?? 0) + 60;
  const remove = (jobs: readonly Job[]): void => {
    waiting = waiting.filter((job) => !jobs.includes(job));
  };
  const finish = (jobs: readonly Job[]): void => {
    remove(jobs);
    for (const job of jobs) for (const { deadline } of job.prompts) if (now <= deadline) inTime++;
  };
  while (now < horizon && (next < prompts.length || waiting.length > 0)) {
    if (waiting.length === 0) now = Math.max(now, (prompts[next] as Prompt).arrival);
    while (next < prompts.length && (prompts[next] as Prompt).arrival <= now)
      waiting.push(alone(prompts[next++] as Prompt));
    if (rule.type === 'fcfs') {
      const job = waiting[0] as Job;
      now += job.wholeSeconds;
      finish([job]);
    } else if (rule.type === 'edf') {
      const { seconds, complete } = edfStep(waiting, rule.chunkTokens);
      now += seconds;
      finish(complete);
    } else {
      const order = waiting.toSorted((a, b) => urgency(b, now) - urgency(a, now));
      const job = order[0] as Job;
      remove(fillBatch(job, order.slice(1), now));
      const rest = Math.max(0, job.wholeSeconds - job.executedSeconds);
      const upcoming = next < prompts.length ? (prompts[next] as Prompt).arrival : Infinity;
      // Somebody arrives: the operator under way ends, and the order is decided anew.
      const operators = Math.max(1, Math.ceil((upcoming - now) / rule.operatorSeconds));
      const ran = Math.min(rest, operators * rule.operatorSeconds);
      now += ran;
      job.executedSeconds += ran;
      if (ran === rest) finish([job]);
    }
  }
  return inTime / prompts.length;
}

const PROMPTS = 1200;
const SEEDS = 3;
const TARGET = 0.9;
const OPERATOR_SECONDS = 0.004;
const RULES: readonly (readonly [string, PrefillRule])[] = [
  ['first come first served', { type: 'fcfs' }],
  ['earliest deadline, chunks of 512', { type: 'edf', chunkTokens: 512 }],
  ['earliest deadline, chunks of 2048', { type: 'edf', chunkTokens: 2048 }],
  ['earliest deadline, chunks of 8192', { type: 'edf', chunkTokens: 8192 }],
  ['slack, pausing at an operator', { type: 's-edf', operatorSeconds: OPERATOR_SECONDS }],
];

function* run(seed: number): Generator<CheckProgress, CheckResult> {
  let done = 0;
  const total = RULES.length * 10;
  function* measure(name: string, rule: PrefillRule, rate: number) {
    let sum = 0;
    for (let i = 0; i < SEEDS; i++) {
      sum += attainment(makePrompts(seed + i, rate, PROMPTS), rule);
      yield { fraction: Math.min(0.99, done / total), phase: `${name} at ${rate.toFixed(2)} /s` };
    }
    return sum / SEEDS;
  }
  const found: { name: string; goodput: number; x: number[]; y: number[] }[] = [];
  for (const [name, rule] of RULES) {
    let low = 0.05;
    let high = 16;
    const points = new Map<number, number>();
    while (high / low > 1.06) {
      const rate = Math.sqrt(low * high);
      const share = yield* measure(name, rule, rate);
      done++;
      points.set(rate, share);
      if (share >= TARGET) low = rate;
      else high = rate;
    }
    const sorted = [...points].sort(([a], [b]) => a - b);
    found.push({ name, goodput: low, x: sorted.map(([x]) => x), y: sorted.map(([, y]) => y) });
  }
  const goodputOf = (at: number) => (found[at] as (typeof found)[number]).goodput;
  const slack = goodputOf(4);
  const chunked = Math.max(goodputOf(1), goodputOf(2), goodputOf(3));
  const past = 1.25 * slack;
  const pastSlack = yield* measure('slack', (RULES[4] as (typeof RULES)[number])[1], past);
  const pastChunked = yield* measure('chunks', (RULES[2] as (typeof RULES)[number])[1], past);
  const earlier = 'an earlier simulation of ours';
  const series: CheckSeries = {
    title: 'Prompts in time',
    xLabel: 'prompts per second',
    yLabel: 'share in time',
    lines: found.map(({ name, x, y }) => ({ name, x, y })),
  };
  return {
    figures: [
      ...found.map(({ name, goodput }) => ({
        label: `highest rate at 90 % in time, ${name}`,
        value: goodput,
        unit: 'req/s',
      })),
      {
        label: 'highest rate, slack against first come first served',
        value: slack / goodputOf(0),
        unit: 'x',
        expected: { low: 5 },
        source: earlier,
      },
      {
        label: 'highest rate, slack against the best of the chunked',
        value: slack / chunked,
        unit: 'x',
        expected: { low: 3 },
        source: earlier,
      },
      {
        label: 'in time at 1.25 times its own highest rate, slack',
        value: pastSlack,
        unit: '',
        expected: { low: 0.7 },
        source: `${earlier} (it degrades slowly)`,
      },
      {
        label: 'in time at that rate, earliest deadline, chunks of 2048',
        value: pastChunked,
        unit: '',
      },
    ],
    series: [series],
    notes: [
      `one prefill instance with memory for all; ${PROMPTS} Poisson arrivals, ${SEEDS} seeds; ${CLASSES.map(({ name, share, ttftSeconds }) => `${name} ${Math.round(100 * share)} % with a TTFT of ${ttftSeconds} s`).join(', ')}; an iteration takes ${1000 * FIXED_SECONDS} ms, ${(1e6 * SECONDS_PER_TOKEN).toFixed(0)} us a token and ${(1e9 * SECONDS_PER_PAIR).toFixed(1)} ns a pair of tokens; a pause is heard within ${1000 * OPERATOR_SECONDS} ms.`,
      'Prompts whose deadline is lost wait until nothing feasible is left, and count as late.',
      'The paper claims goodput up to 5.6 times that of DistServe on a trace of its own; the load here is synthetic, and the ratio depends on how mixed it is.',
    ],
  };
}

/** FlowPrefill (2026): who is prefilled next, decided at operators and not at chunks. */
export const flowprefill: RowCheck = {
  id: 'flowprefill',
  title: 'FlowPrefill',
  asks: 'How much load can one prefill instance take when long prompts may be paused?',
  rule: 'Priority is sgn(slack) / deadline: prompts that can still make it go by deadline, and those that cannot wait behind them. It is looked at only when a prompt arrives or is done. If another one is first, the running prefill stops at its next operator, keeps what it has, and goes on later. A prompt of up to 2048 tokens takes others along while the sum stays below that and it keeps a tenth of its time to spare.',
  evidence: 'code',
  run,
};

import type { CacheSession, SessionFactory } from '../cache/types';
import type { Task } from '../tasks/task';
import type { TaskSample, Turn } from '../tasks/types';
import { ASK, END } from '../tasks/vocabulary';
import { type ModelSteps, runSteps } from '../transformer/model-steps';
import type { StepTally, Transformer } from '../transformer/types';
import { flopsPerTokenLayer } from './flops';
import { heldBytes } from './held-bytes';
import { type RecordedModel, recorderOf } from './recorded-model';
import type { AskPlan, JudgedAnswer, SampleOutcome } from './types';

/** Questions of one shared context: the first, and the 2nd to 5th that are scored (SCBench). */
const SHARED_QUESTIONS = 5;
const STOP: ReadonlySet<number> = new Set([END]);

/** @throws RangeError for a protocol that the task cannot be asked under */
export function checkProtocol(task: Task, plan: AskPlan, sample: TaskSample): void {
  const { protocol } = plan;
  if (protocol === 'turns' && sample.turns.length < 2) {
    throw new RangeError(
      `invalid protocol: turns for ${task.id} (its contexts have ${sample.turns.length} question; expected known or hidden)`,
    );
  }
  if (protocol !== 'hidden' && task.metric === 'loss above entropy') {
    throw new RangeError(
      `invalid protocol: ${protocol} for ${task.id} (its stream has no question; expected hidden)`,
    );
  }
}

function judge(turn: Turn, index: number, out: readonly number[]): JudgedAnswer {
  const rightTokens = turn.answer.filter((token, i) => out[i] === token).length;
  return {
    turn: index,
    kind: turn.kind,
    depth: turn.depth,
    ...(turn.offset === undefined ? {} : { offset: turn.offset }),
    isRight: out.length === turn.answer.length && rightTokens === turn.answer.length,
    rightTokens,
    tokens: turn.answer.length,
  };
}

/** What of an answer is not in the cache when the next question comes: its last token, and its end. */
function restOfAnswer(turn: Turn, out: readonly number[]): number[] {
  const isWhole = out.length === turn.answer.length;
  const last = isWhole ? out.slice(-1) : [];
  return turn.question[0] === ASK ? [...last, END] : last;
}

type Args<Name extends 'prefill' | 'ask'> = Parameters<CacheSession[Name]>;

/** Of a session without steps of its own, `forward` has run when the first step is asked for. */
function* prefillSteps(session: CacheSession, ...args: Args<'prefill'>): ModelSteps<void> {
  if (session.steps) yield* session.steps.prefill(...args);
  else session.prefill(...args);
}

function* askSteps(session: CacheSession, ...args: Args<'ask'>): ModelSteps<number[]> {
  return session.steps ? yield* session.steps.ask(...args) : session.ask(...args);
}

function* askAll(
  session: CacheSession,
  task: Task,
  { protocol, answersStay }: AskPlan,
  sample: TaskSample,
): ModelSteps<{ readonly answers: JudgedAnswer[]; readonly askedTokens: number }> {
  const isInTurn = task.asking !== 'apart';
  const stays = isInTurn || answersStay;
  const asked = isInTurn
    ? sample.turns
    : sample.turns.slice(0, protocol === 'turns' ? SHARED_QUESTIONS : 1);
  const answers: JudgedAnswer[] = [];
  let before: readonly number[] = [];
  let askedTokens = 0;
  for (const [index, turn] of asked.entries()) {
    if (index > 0 && !stays) session.rewind();
    const question = [...before, ...turn.question];
    const out = yield* askSteps(session, question, turn.answer.length, STOP);
    askedTokens += before.length + turn.question.length + Math.max(0, out.length - 1);
    if (stays && task.asking !== 'given answers') before = restOfAnswer(turn, out);
    if (protocol !== 'turns' || index > 0) answers.push(judge(turn, index, out));
  }
  return { answers, askedTokens };
}

/**
 * Runs one context through a cache session: prefill and compression, the ledger, and the questions.
 *
 * - `known`: the first question is in sight when the context is compressed
 * - `hidden`: the context is compressed before any question
 * - `turns`: compressed with the first question in sight, scored on those after it
 *
 * Tasks whose questions stand apart are asked one, or with `turns` up to five.
 *
 * @throws RangeError for a protocol that the task cannot be asked under
 */
export function runSample(...args: Parameters<typeof sampleSteps>): SampleOutcome {
  return runSteps(args[0], sampleSteps(...args));
}

const NO_STEPS: StepTally = { held: 0, layered: 0, cpu: 0 };

/** `runSample` as steps of the model. */
export function* sampleSteps(
  model: Transformer,
  factory: SessionFactory,
  task: Task,
  plan: AskPlan,
  index: number,
): ModelSteps<SampleOutcome> {
  const { contextTokens, seed, options, protocol } = plan;
  const sample = task.sample({ contextTokens, seed, index, ...(options ? { options } : {}) });
  checkProtocol(task, plan, sample);
  const first = sample.turns[0] as Turn;
  const isScored = first.surprisalNats !== undefined;
  const recorded = isScored ? recorderOf(model) : undefined;
  const session = factory.open(recorded?.model ?? model);
  const before = model.tally?.() ?? NO_STEPS;
  const startedAt = performance.now();
  yield* prefillSteps(session, sample.context, {
    ...(protocol === 'hidden' ? {} : { question: first.question }),
    ...(sample.chunkStarts ? { chunkStarts: sample.chunkStarts } : {}),
    ...(sample.edit ? { edit: sample.edit } : {}),
  });
  const prefilledAt = performance.now();
  const held = heldBytes(session.ledger(), model.config);
  const { answers, askedTokens } = recorded
    ? { answers: [], askedTokens: first.question.length }
    : yield* askAll(session, task, plan, sample);
  const loss = recorded ? yield* scoreQuestion(session, recorded, first, contextTokens) : undefined;
  const askSeconds = (performance.now() - prefilledAt) / 1000;
  const { movedBytes, recomputedTokenLayers } = session.ledger();
  const after = model.tally?.();
  return {
    index,
    answers,
    ...(loss ? { loss } : {}),
    held,
    movedBytes,
    recomputedTokenLayers,
    recomputedFlops: recomputedTokenLayers * flopsPerTokenLayer(model.config),
    askedTokens,
    prefillSeconds: (prefilledAt - startedAt) / 1000,
    askSeconds,
    ...(after ? { ran: difference(after, before) } : {}),
  };
}

const difference = (after: StepTally, before: StepTally): StepTally => ({
  held: after.held - before.held,
  layered: after.layered - before.layered,
  cpu: after.cpu - before.cpu,
});

function* scoreQuestion(
  session: CacheSession,
  recorded: RecordedModel,
  { question, surprisalNats = [] }: Turn,
  start: number,
): ModelSteps<NonNullable<SampleOutcome['loss']>> {
  recorded.record();
  yield* recorded.through(askSteps(session, question, 1, STOP));
  recorded.stop();
  let lossNats = 0;
  let entropyNats = 0;
  for (let i = 1; i < question.length; i++) {
    const loss = recorded.lossNats(start + i - 1, question[i] as number);
    if (loss === undefined) {
      throw new Error(`the session predicted nothing at position ${start + i - 1}`);
    }
    lossNats += loss;
    entropyNats += surprisalNats[i] as number;
  }
  return { lossNats, entropyNats, tokens: question.length - 1 };
}

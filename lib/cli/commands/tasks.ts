import { expectedOf } from '../../tasks/options';
import { TASKS, taskOf } from '../../tasks/registry';
import { toText } from '../../tasks/vocabulary';
import { RECALL_TASKS } from '../../transformer/recall';
import { atMost, command, readArguments, wholeNumber } from '../command-line';

const USAGE = 'usage: headroom tasks [ID] [--context N] [--seed N]';

/** Long enough to read, where the task allows it. */
const SHOWN_TOKENS = 96;

function describe(id: string, seed: number, contextTokens: number | undefined): string[] {
  const task = taskOf(id);
  const length = contextTokens ?? Math.max(task.leastContextTokens(), SHOWN_TOKENS);
  const sample = task.sample({ contextTokens: length, seed, index: 0 });
  const chance = task.chance(length);
  return [
    `${task.id}\t${task.name}`,
    `tests\t${task.tests}`,
    `source\t${task.source}`,
    `measured by\t${task.metric}${chance > 0 ? `, chance ${chance.toPrecision(2)}` : ''}`,
    `questions\t${task.asking}`,
    `needs\t${task.gate ?? 'no gate'}`,
    ...Object.entries(task.options).map(
      ([name, option]) =>
        `option ${name}\t${option.meaning}: ${expectedOf(option)}${option.default === undefined ? '' : ` (${option.default})`}`,
    ),
    `context\t${toText(sample.context)}`,
    ...(sample.edit ? [`before ${sample.edit.kind}\t${toText(sample.edit.before)}`] : []),
    ...sample.turns.map(
      ({ kind, question, answer }) =>
        `${kind}\t${toText(question)}${answer.length > 0 ? ` -> ${toText(answer)}` : ''}`,
    ),
  ];
}

/** The lines to print: making the sample says what is wrong with task, length and seed. */
function readLines(args: readonly string[]): readonly string[] {
  const { values, positionals } = readArguments(args, {
    seed: { type: 'string', default: '1' },
    context: { type: 'string' },
  });
  atMost(positionals, 1);
  const [id] = positionals;
  const context =
    values.context === undefined ? undefined : wholeNumber('--context', values.context, 1);
  const seed = wholeNumber('--seed', values.seed, 0, 2 ** 32 - 1);
  if (id !== undefined) return describe(id, seed, context);
  return TASKS.map(({ id: task, name, tests }) => {
    const learnt = RECALL_TASKS.includes(task) ? '' : ' (the shipped model does not answer it)';
    return [task, name, `${tests}${learnt}`].join('\t');
  });
}

/** `headroom tasks [ID]`: the tasks, or one with its options and a sample. */
export const tasksCommand = command(USAGE, readLines, async (lines) => {
  for (const line of lines) console.log(line);
  return 0;
});

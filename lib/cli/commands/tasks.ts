import { parseArgs } from 'node:util';
import { expectedOf } from '../../tasks/options';
import { TASKS, taskOf } from '../../tasks/registry';
import { toText } from '../../tasks/vocabulary';
import { RECALL_TASKS } from '../../transformer/recall';
import { wholeNumber } from '../evaluate/eval-options';

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

/** `headroom tasks [ID]`: the tasks, or one with its options and a sample. */
export async function tasksCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seed: { type: 'string', default: '1' },
      context: { type: 'string' },
    },
  });
  const [id, stray] = positionals;
  if (stray !== undefined) throw new Error(`unexpected argument: ${JSON.stringify(stray)}`);
  if (id === undefined) {
    for (const { id: task, name, tests } of TASKS) {
      const learnt = RECALL_TASKS.includes(task) ? '' : ' (the shipped model does not answer it)';
      console.log([task, name, `${tests}${learnt}`].join('\t'));
    }
    return 0;
  }
  const context =
    values.context === undefined ? undefined : wholeNumber('--context', values.context, 1);
  const seed = wholeNumber('--seed', values.seed, 0, 2 ** 32 - 1);
  for (const line of describe(id, seed, context)) console.log(line);
  return 0;
}

import { METHODS, methodNotebook } from '../../methods/methods';
import { PRESET_METHODS } from '../../methods/preset-methods';
import { printMarkdown } from '../../spec/markdown';
import { atMost, command, readArguments } from '../command-line';

const ALL = [...METHODS, ...PRESET_METHODS];
const USAGE = 'usage: headroom method [ID]';

/** The method that is asked for; undefined asks for the list. */
function readMethod(args: readonly string[]) {
  const { positionals } = readArguments(args, {});
  atMost(positionals, 1);
  const [id] = positionals;
  const method = ALL.find((each) => each.id === id);
  if (id !== undefined && method === undefined)
    throw new Error(`unknown method: ${id} (headroom method lists them)`);
  return method;
}

/** `method [ID]`: the notebook of a published method as Markdown, or the list of methods. */
export const methodCommand = command(USAGE, readMethod, async (method) => {
  if (method === undefined) {
    for (const { id, part, name, cells } of ALL)
      console.log([id, part, name, cells.length === 0 ? 'not composable yet' : ''].join('\t'));
  } else console.log(printMarkdown(methodNotebook(method)));
  return 0;
});

import { METHODS, methodNotebook } from '../../methods/methods';
import { printMarkdown } from '../../spec/markdown';

/** `method [ID]`: the notebook of a published method as Markdown, or the list of methods. */
export async function methodCommand([id, ...rest]: string[]): Promise<number> {
  if (rest.length > 0) throw new Error(`unexpected argument: ${rest[0]}`);
  if (id === undefined) {
    for (const { id: each, part, name, cells } of METHODS) {
      console.log([each, part, name, cells.length === 0 ? 'not composable yet' : ''].join('\t'));
    }
    return 0;
  }
  const method = METHODS.find((each) => each.id === id);
  if (method === undefined) throw new Error(`unknown method: ${id} (headroom method lists them)`);
  console.log(printMarkdown(methodNotebook(method)));
  return 0;
}

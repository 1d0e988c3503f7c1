import { readTensorHeader } from '../../tensors/header';
import { command, onlyArgument, readArguments } from '../command-line';
import { openFile } from '../files';

const readFileName = (args: readonly string[]) =>
  onlyArgument(readArguments(args, {}).positionals, 'FILE');

/** `headroom tensors FILE`: dtype, shape and name of every tensor of a safetensors file, and its metadata. */
export const tensorsCommand = command(
  'usage: headroom tensors FILE',
  readFileName,
  async (file) => {
    const opened = await openFile(file);
    const { tensors, metadata } = await readTensorHeader(opened).catch((error: Error) => {
      throw new Error(`${file}: ${error.message}`);
    });
    for (const { name, dtype, shape } of tensors.values())
      console.log(`${dtype}\t[${shape.join(', ')}]\t${JSON.stringify(name)}`);
    for (const [name, text] of metadata)
      console.log(`metadata\t${JSON.stringify(name)}\t${text.length} characters`);
    return 0;
  },
);

import { readTensorHeader } from '../../tensors/header';
import { command, onlyArgument, readArguments } from '../command-line';
import { openFile } from '../files';

const readFileName = (args: readonly string[]) =>
  onlyArgument(readArguments(args, {}).positionals, 'FILE');

/** A name as JSON with what a terminal would obey, such as a turn of the writing direction, escaped. */
const printName = (name: string) =>
  JSON.stringify(name).replace(
    /[\p{Cc}\p{Cf}]/gu,
    (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`,
  );

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
      console.log(`${dtype}\t[${shape.join(', ')}]\t${printName(name)}`);
    for (const [name, text] of metadata)
      console.log(`metadata\t${printName(name)}\t${text.length} characters`);
    if (tensors.size === 0) console.log('no tensors');
    return 0;
  },
);

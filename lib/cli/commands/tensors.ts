import { openAsBlob } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { readTensorHeader } from '../../tensors/header';

/** `headroom tensors FILE`: dtype, shape and name of every tensor of a safetensors file, and its metadata. */
export async function tensorsCommand(args: readonly string[]): Promise<number> {
  const [file, ...others] = args;
  if (file === undefined || others.length > 0) {
    console.error('usage: headroom tensors FILE');
    return 2;
  }
  try {
    await access(file, constants.R_OK);
    const { tensors, metadata } = await readTensorHeader(await openAsBlob(file));
    for (const { name, dtype, shape } of tensors.values())
      console.log(`${dtype}\t[${shape.join(', ')}]\t${JSON.stringify(name)}`);
    for (const [name, text] of metadata)
      console.log(`metadata\t${JSON.stringify(name)}\t${text.length} characters`);
    return 0;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    console.error(`${file}: ${code === undefined ? message : `cannot read the file (${code})`}`);
    return 1;
  }
}

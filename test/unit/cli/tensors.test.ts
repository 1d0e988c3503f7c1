import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { tensorsCommand } from '../../../lib/cli/commands/tensors';

const file = (header: object, data: Uint8Array = new Uint8Array()) => {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const path = join(mkdtempSync(join(tmpdir(), 'headroom-')), 'x.safetensors');
  writeFileSync(path, Buffer.concat([length, text, data]));
  return path;
};

it('lists tensors by name, escapes what a terminal would obey, and says that there are none', async () => {
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  try {
    const scalar = { dtype: 'F32', shape: [1], data_offsets: [0, 4] };
    await tensorsCommand([file({ 'q\u202e\u001b[2J': scalar }, new Uint8Array(4))]);
    await tensorsCommand([file({})]);
  } finally {
    log.mockRestore();
  }
  expect(lines).toEqual(['F32\t[1]\t"q\\u{202e}\\u001b[2J"', 'no tensors']);
});

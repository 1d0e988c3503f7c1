import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { tensorsCommand } from '../../../lib/cli/commands/tensors';
import { writeTensors } from '../../../lib/tensors/write';

const folder = mkdtempSync(join(tmpdir(), 'headroom-tensors-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('lists tensors and metadata, or says why not', async () => {
  const lines: string[] = [];
  const errors: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void errors.push(line));
  const tensor = { name: 'q', dtype: 'BF16', shape: [2, 3], data: new Uint16Array(6) } as const;
  const blob = writeTensors([tensor], { format: 'pt' });
  const path = join(folder, 'a.safetensors');
  writeFileSync(path, new Uint8Array(await blob.arrayBuffer()));
  expect(await tensorsCommand([path])).toBe(0);
  expect(lines).toEqual(['BF16\t[2, 3]\t"q"', 'metadata\t"format"\t2 characters']);
  writeFileSync(path, 'short');
  expect(await tensorsCommand([path])).toBe(1);
  expect(await tensorsCommand([join(folder, 'none')])).toBe(1);
  expect(errors.map((line) => line.replace(folder, ''))).toEqual([
    "/a.safetensors: not a safetensors file: 5 bytes (expected at least 8, the header's length)",
    '/none: cannot read the file (ENOENT)',
  ]);
  expect(await tensorsCommand([])).toBe(2);
});

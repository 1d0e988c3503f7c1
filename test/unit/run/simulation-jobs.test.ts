import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { buffersOf, readTables, serveJob, workloadJob } from '../../../lib/run/simulation-jobs';
import { serveParams } from '../../../lib/spec/kinds/serve';
import { workloadParams } from '../../../lib/spec/kinds/workload';

const signal = new AbortController().signal;
const ignore = () => undefined;
const csvParams = workloadParams.parse({ source: { type: 'csv' } });

function bigCsv(rows: number): Blob {
  const lines = Array.from(
    { length: rows },
    (_, i) => `${i / 10},${100 + (i % 50)},${1 + (i % 9)}`,
  );
  return new Blob(['arrival_s,prompt_tokens,output_tokens\n', lines.join('\n')]);
}

describe('workload job', () => {
  it('streams a file of a million rows with progress', async () => {
    const fractions: number[] = [];
    const workload = await workloadJob(csvParams, bigCsv(1_000_000), signal, ({ fraction }) =>
      fractions.push(fraction ?? -1),
    );
    expect(workload.arrivalSeconds.length).toBe(1_000_000);
    expect(workload.arrivalSeconds[999_999]).toBeCloseTo(99_999.9, 6);
    expect(fractions.length).toBeGreaterThan(0);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
  });

  it('stops when cancelled in mid-file', async () => {
    const controller = new AbortController();
    const job = workloadJob(csvParams, bigCsv(300_000), controller.signal, () =>
      controller.abort(),
    );
    await expect(job).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('says that a file is missing or not text', async () => {
    await expect(workloadJob(csvParams, undefined, signal, ignore)).rejects.toThrow(
      'no file is bound',
    );
    const binary = new Blob([new Uint8Array([0xff, 0xd8, 0xff, 0xe0])]);
    await expect(workloadJob(csvParams, binary, signal, ignore)).rejects.toThrow(/not UTF-8 text/);
  });
});

describe('serve job', () => {
  it('stops when cancelled in mid-run', async () => {
    const workload = await workloadJob(
      workloadParams.parse({ source: { type: 'generator', requests: 20_000 } }),
      undefined,
      signal,
      ignore,
    );
    const controller = new AbortController();
    const job = serveJob(serveParams.parse({}), workload, undefined, controller.signal, () =>
      controller.abort(),
    );
    await expect(job).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('gives all of its buffers to the transfer', async () => {
    const workload = await workloadJob(
      workloadParams.parse({ source: { type: 'generator', requests: 20 } }),
      undefined,
      signal,
      ignore,
    );
    const result = await serveJob(serveParams.parse({}), workload, undefined, signal, ignore);
    expect(buffersOf(result).length).toBeGreaterThan(15);
    // Structured clone throws where a buffer is listed twice or a function is inside.
    const copy = structuredClone(result, { transfer: buffersOf(result) });
    expect(copy.metrics.completed).toBe(20);
  });

  it('reads tables plain and gzip, and names what is no table', async () => {
    expect(await readTables(new Blob(['{"a":1}']))).toEqual({ a: 1 });
    expect(await readTables(new Blob([gzipSync('{"a":1}')]))).toEqual({ a: 1 });
    await expect(readTables(new Blob(['x']))).rejects.toThrow(/no JSON/);
  });
});

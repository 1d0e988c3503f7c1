import '../spec/zod-config';
import * as z from 'zod';
// Sets zod up for the page's policy before the schemas below are made.
import '../spec/notebook';
import { KERNEL_KINDS, MODEL_KINDS } from './job-kinds';
import { decodeResult, encodeResult } from './result-json';
import type { CellResult } from './types';

export const RECORDED_FORMAT = 'headroom/recorded';
export const RECORDED_VERSION = 1;

const provenance = z.looseObject({
  appVersion: z.string(),
  specHash: z.string().regex(/^[0-9a-f]{64}$/, { error: 'expected 64 hexadecimal digits' }),
  kindVersion: z.int(),
  computedAt: z.iso.datetime(),
  simulated: z.boolean(),
  wallSeconds: z.number(),
  engine: z.enum(['webgpu', 'wasm', 'cpu', 'simulator']),
});

const floats = z.instanceof(Float64Array);
const integers = z.instanceof(Int32Array);

const point = z.looseObject({
  ratePerSecond: z.number(),
  goodputPerSecond: z.looseObject({}),
  sloAttainment: z.looseObject({}),
});

/** The fields that the page reads before anything else; the rest is trusted to the writer. */
const output = z.discriminatedUnion('kind', [
  z.looseObject({
    kind: z.enum(KERNEL_KINDS),
    value: z.looseObject({
      params: z.looseObject({ shape: z.looseObject({}) }),
      timing: z.looseObject({ medianSeconds: z.number(), gigaflopsPerSecond: z.number() }),
      notes: z.array(z.string()),
    }),
  }),
  z.looseObject({ kind: z.enum(MODEL_KINDS), value: z.looseObject({}) }),
  z.looseObject({
    kind: z.literal('workload'),
    value: z
      .looseObject({
        arrivalSeconds: floats,
        promptTokens: integers,
        outputTokens: integers,
        label: z.string(),
      })
      .refine(
        ({ arrivalSeconds, promptTokens, outputTokens }) =>
          arrivalSeconds.length === promptTokens.length &&
          arrivalSeconds.length === outputTokens.length,
        { error: 'expected columns of equal length' },
      ),
  }),
  z.looseObject({
    kind: z.literal('serve'),
    value: z.looseObject({
      metrics: z.looseObject({ requests: z.number() }),
      lanes: z.array(z.looseObject({ startSeconds: floats, durationSeconds: floats })),
      requests: z.looseObject({ arrivalSeconds: floats, completedSeconds: floats }),
      tbt: z.looseObject({ values: floats, weights: floats }),
    }),
  }),
  z.looseObject({
    kind: z.literal('sweep'),
    value: z.looseObject({
      points: z.array(point).min(1),
      searched: z.array(point),
      slo: z.looseObject({ attainment: z.number() }),
      costModel: z.looseObject({ label: z.string() }),
      notes: z.array(z.string()),
    }),
  }),
]);

const file = z.looseObject({
  format: z.literal(RECORDED_FORMAT),
  version: z.literal(RECORDED_VERSION),
  cells: z.record(z.string(), z.looseObject({ output, provenance })),
});

/**
 * Results by cell id as JSON text, exact to the bit. Not compressed: hosts compress what they
 * serve. See `recordedBytes` for what it weighs.
 */
export function writeRecorded(results: ReadonlyMap<string, CellResult>): string {
  const cells = Object.fromEntries(
    [...results].map(([id, result]) => [id, encodeResult(result, `cells.${id}`)]),
  );
  return `${JSON.stringify({ format: RECORDED_FORMAT, version: RECORDED_VERSION, cells })}\n`;
}

/** Characters that each cell takes in the JSON text, largest first: what to look at when a file is too big. */
export function recordedBytes(
  results: ReadonlyMap<string, CellResult>,
): readonly { readonly cellId: string; readonly bytes: number }[] {
  return [...results]
    .map(([cellId, result]) => ({ cellId, bytes: JSON.stringify(encodeResult(result)).length }))
    .sort((a, b) => b.bytes - a.bytes);
}

/**
 * Reads the text of `writeRecorded`; every result comes out with `provenance.recorded` true. The
 * session decides by spec hash whether a result still fits its cell.
 * @throws Error `invalid recorded results: ...` with the first thing wrong and its place
 */
export function readRecorded(json: string): ReadonlyMap<string, CellResult> {
  let decoded: unknown;
  try {
    decoded = decodeResult(JSON.parse(json), 'recorded');
  } catch (error) {
    throw new Error(`invalid recorded results: ${(error as Error).message}`);
  }
  const parsed = file.safeParse(decoded);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue === undefined || issue.path.length === 0 ? 'the top' : issue.path.join('.');
    throw new Error(
      `invalid recorded results: ${issue?.message.toLowerCase() ?? 'unreadable'} at ${where}`,
    );
  }
  return new Map(
    Object.entries(parsed.data.cells).map(([id, cell]) => {
      const result = cell as unknown as CellResult;
      return [id, { ...result, provenance: { ...result.provenance, recorded: true } }];
    }),
  );
}

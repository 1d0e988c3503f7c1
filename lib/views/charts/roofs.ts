import { placeUnderRoof } from '../../attention/roofline';
import type { AdapterInfo, AdapterRoof, AttentionTiming } from '../../attention/types';
import type { ViewInput } from '../view-input';

/** A kernel under the roof of what it ran on. */
export interface RoofPoint {
  readonly series: string;
  readonly engine: string;
  /** What the roof is of: an adapter, or WebAssembly on a number of threads. */
  readonly roof: string;
  readonly flopsPerByte: number;
  readonly gigaflopsPerSecond: number;
  readonly bound: 'compute' | 'bandwidth';
  /** Of the roof that is drawn: the highest of its kind. */
  readonly percentOfRoof: number;
  /** Of the roof as it was known when the cell ran. */
  readonly percentWhenRun: number;
}

/** The highest that was measured of an adapter or of a number of threads. */
export interface Roof {
  readonly name: string;
  readonly peak: number;
  readonly gigabytesPerSecond: number;
  /** FLOP per byte where the two sides meet. */
  readonly ridge: number;
}

interface Measured {
  readonly series: string;
  readonly engine: string;
  readonly timing: AttentionTiming;
  readonly bytes: number;
  readonly roof: AdapterRoof;
  readonly name: string;
}

/**
 * Kernels of attention, recurrent and decode cells with one roof per adapter and number of threads.
 * A run that beats its roof lifts it, so that cells that ran before have a lower one: all are placed
 * under the highest, and keep what they said of their own.
 */
export function roofsOf(inputs: readonly ViewInput[]): {
  readonly points: readonly RoofPoint[];
  readonly roofs: readonly Roof[];
} {
  const measured = inputs.flatMap(measuredOf);
  const highest = new Map<string, AdapterRoof>();
  for (const { name, roof } of measured) {
    const known = highest.get(name);
    highest.set(name, known === undefined ? roof : higher(known, roof));
  }
  return {
    points: measured.map(({ series, engine, timing, bytes, roof, name }) => {
      const { percent, flopsPerByte, bound } = placeUnderRoof(highest.get(name)!, timing, bytes);
      return {
        series,
        engine,
        roof: name,
        flopsPerByte,
        gigaflopsPerSecond: timing.gigaflopsPerSecond,
        bound,
        percentOfRoof: percent,
        percentWhenRun: placeUnderRoof(roof, timing, bytes).percent,
      };
    }),
    roofs: [...highest].map(([name, roof]) => ({
      name,
      peak: roof.matmulGigaflopsPerSecond,
      gigabytesPerSecond: roof.copyGigabytesPerSecond,
      ridge: roof.matmulGigaflopsPerSecond / roof.copyGigabytesPerSecond,
    })),
  };
}

function higher(a: AdapterRoof, b: AdapterRoof): AdapterRoof {
  return {
    ...a,
    matmulGigaflopsPerSecond: Math.max(a.matmulGigaflopsPerSecond, b.matmulGigaflopsPerSecond),
    copyGigabytesPerSecond: Math.max(a.copyGigabytesPerSecond, b.copyGigabytesPerSecond),
  };
}

function measuredOf({ id, result }: ViewInput): readonly Measured[] {
  switch (result?.output.kind) {
    case 'attention':
    case 'recurrent': {
      const { timing, roof, roofPlace, engine, adapter } = result.output.value;
      if (roof === undefined || roofPlace === undefined) return [];
      const bytes = timing.flops / roofPlace.flopsPerByte;
      return [{ series: id, engine, timing, bytes, roof, name: roofName(engine, adapter, roof) }];
    }
    case 'decode': {
      const { storages, roof, engine, adapter } = result.output.value;
      if (roof === undefined) return [];
      const name = roofName(engine, adapter, roof);
      return storages.map((storage) => ({
        series: storages.length === 1 ? id : `${id}: ${storage.name}`,
        engine,
        timing: storage.timing,
        bytes: storage.readBytes,
        roof,
        name,
      }));
    }
    default:
      return [];
  }
}

function roofName(engine: string, adapter: AdapterInfo | undefined, roof: AdapterRoof): string {
  if (engine !== 'webgpu')
    return roof.threads === undefined ? engine : `${engine}, ${threadText(roof.threads)}`;
  const words = [adapter?.vendor, adapter?.architecture].filter((each) => each);
  return [engine, words.join(' ')].filter((each) => each !== '').join(', ');
}

const threadText = (threads: number) => (threads === 1 ? '1 thread' : `${threads} threads`);

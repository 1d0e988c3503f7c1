import type { RecurrentParams } from '../../spec/kinds/recurrent';
import type { AdapterInfo, AdapterRoof, AttentionTiming, RoofPlace } from '../types';
import type { RecurrentError } from './compare';
import type { RecallCurve } from './recall';

export interface RecurrentResult {
  readonly params: RecurrentParams;
  readonly engine: 'webgpu' | 'cpu';
  readonly engineNote: string | undefined;
  readonly adapter: AdapterInfo | undefined;
  /** Kernel plan in words. */
  readonly plan: string | undefined;
  /** Undefined where the reference itself ran. */
  readonly error: RecurrentError | undefined;
  readonly timing: AttentionTiming;
  readonly roof: AdapterRoof | undefined;
  /** Time of a plain copy of the same bytes at the adapter's roof, over the kernel's. */
  readonly percentOfCopyRoof: number | undefined;
  /** The same under the lesser of compute roof and intensity x bandwidth, with the side that binds. */
  readonly roofPlace: RoofPlace | undefined;
  readonly memory: {
    /** What a layer keeps, whatever the length. */
    readonly stateBytes: number;
    /** What a softmax layer of the same sizes keeps after these tokens. */
    readonly kvBytes: number;
    readonly breakEvenTokens: number;
  };
  readonly recall: RecallCurve;
  /** The same of plain linear attention, to compare with. */
  readonly additiveRecall: RecallCurve;
  readonly notes: readonly string[];
}

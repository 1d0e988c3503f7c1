import type { RecurrentParams } from '../../spec/kinds/recurrent';
import type { AdapterInfo, AdapterRoof, AttentionTiming, RoofPlace } from '../types';
import type { RecurrentError } from './compare';
import type { ChunkFit } from './fast-weight-reference';
import type { HybridBytes } from './hybrid';
import type { HybridRecall } from './hybrid-recall';
import type { WindowReconstruction } from './legendre-window';
import type { MemoryUnitReading } from './memory-unit';
import type { MixtureLoad } from './mixture-load';
import type { RecallCurve } from './recall';

export interface RecurrentResult {
  readonly params: RecurrentParams;
  readonly engine: 'webgpu' | 'wasm' | 'cpu';
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
  /** Undefined for a memory that holds no pairs. */
  readonly recall: RecallCurve | undefined;
  /** The same of plain linear attention, to compare with. */
  readonly additiveRecall: RecallCurve;
  /** Bytes of the stack over the context's length. */
  readonly hybrid: readonly HybridBytes[];
  /** Recall of one of its blocks; undefined without window layers. */
  readonly hybridRecall: HybridRecall | undefined;
  /** Which memories the tokens of a mixture wrote. */
  readonly load: MixtureLoad | undefined;
  /** What a Legendre memory gives back of its sliding window. */
  readonly reconstruction: WindowReconstruction | undefined;
  /** How well fast weights fit each chunk of the first head before and after they learnt it. */
  readonly fits: readonly ChunkFit[] | undefined;
  /** A gated memory unit over the output, where the cell has one. */
  readonly unit: MemoryUnitReading | undefined;
  readonly notes: readonly string[];
}

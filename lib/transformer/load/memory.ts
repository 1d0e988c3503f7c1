import { elementsOf } from '../../tensors/dtype';
import type { TransformerConfig } from '../types';
import { neededTensors } from './needed-tensors';

/** What a loaded model takes, in bytes of f32 whatever its file holds. */
export interface ModelMemory {
  readonly parameters: number;
  readonly weightsBytes: number;
  /** Key and value of one token in every layer and KV head, in a full f32 cache. */
  readonly kvBytesPerToken: number;
  /** Weights and a full cache of `maxPositions` tokens. */
  readonly fullContextBytes: number;
}

const F32_BYTES = 4;

/** Computed from the configuration alone: nothing of the weights needs to be there. */
export function memoryOf(config: TransformerConfig): ModelMemory {
  const parameters = neededTensors(config).reduce((sum, { shape }) => sum + elementsOf(shape), 0);
  const kvBytesPerToken = 2 * config.layers * config.kvHeads * config.headSize * F32_BYTES;
  const weightsBytes = parameters * F32_BYTES;
  return {
    parameters,
    weightsBytes,
    kvBytesPerToken,
    fullContextBytes: weightsBytes + kvBytesPerToken * config.maxPositions,
  };
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `12.3 MiB`; exact below 1 KiB. */
export function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  const value = bytes / 1024 ** power;
  return `${power === 0 ? value : value.toPrecision(value >= 999.5 ? 4 : 3)} ${UNITS[power]}`;
}

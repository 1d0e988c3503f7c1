import type { HardwareId } from '../../spec/presets';
import type { HardwareSpec } from '../types';

const GB = 1e9;
const TERA = 1e12;

/** Dense 16-bit peaks with 32-bit accumulation and bandwidths, from the makers' data sheets. */
export const HARDWARE: Readonly<Record<HardwareId, HardwareSpec>> = {
  'a100-80g': {
    id: 'a100-80g',
    label: 'A100 80 GB SXM',
    memoryBytes: 80 * 2 ** 30,
    peakFlopsPerSecond: 312 * TERA,
    bandwidthBytesPerSecond: 2039 * GB,
    interconnectBytesPerSecond: 300 * GB,
    boardWatts: 400,
    source:
      'NVIDIA A100 80GB data sheet: 312 TFLOP/s BF16, 2,039 GB/s, NVLink 600 GB/s both ways, 400 W',
  },
  h100: {
    id: 'h100',
    label: 'H100 80 GB SXM',
    memoryBytes: 80 * 2 ** 30,
    peakFlopsPerSecond: 989.4 * TERA,
    bandwidthBytesPerSecond: 3350 * GB,
    interconnectBytesPerSecond: 450 * GB,
    boardWatts: 700,
    source:
      'NVIDIA H100 SXM data sheet: 989.4 TFLOP/s dense BF16, 3.35 TB/s, NVLink 900 GB/s both ways, 700 W',
  },
  l40s: {
    id: 'l40s',
    label: 'L40S 48 GB',
    memoryBytes: 48 * 2 ** 30,
    peakFlopsPerSecond: 362 * TERA,
    bandwidthBytesPerSecond: 864 * GB,
    interconnectBytesPerSecond: 32 * GB,
    boardWatts: 350,
    source: 'NVIDIA L40S data sheet: 362 TFLOP/s dense BF16, 864 GB/s, PCIe 4.0 x16, 350 W',
  },
  'rtx-4090': {
    id: 'rtx-4090',
    label: 'RTX 4090 24 GB',
    memoryBytes: 24 * 2 ** 30,
    peakFlopsPerSecond: 165.2 * TERA,
    bandwidthBytesPerSecond: 1008 * GB,
    interconnectBytesPerSecond: 32 * GB,
    boardWatts: 450,
    source:
      'NVIDIA Ada architecture paper: 165.2 TFLOP/s dense FP16 with FP32 accumulate, 1,008 GB/s, PCIe 4.0 x16, 450 W',
  },
  'rtx-pro-6000': {
    id: 'rtx-pro-6000',
    label: 'RTX PRO 6000 Blackwell Server 96 GB',
    memoryBytes: 96 * 2 ** 30,
    peakFlopsPerSecond: 503.8 * TERA,
    bandwidthBytesPerSecond: 1597 * GB,
    interconnectBytesPerSecond: 64 * GB,
    boardWatts: 600,
    source:
      'NVIDIA RTX PRO 6000 Blackwell Server Edition data sheet: 1,597 GB/s, PCIe 5.0 x16, 600 W; dense BF16 with FP32 accumulate from the RTX Blackwell PRO architecture paper',
  },
  'rtx-a6000': {
    id: 'rtx-a6000',
    label: 'RTX A6000 48 GB',
    memoryBytes: 48 * 2 ** 30,
    peakFlopsPerSecond: 154.8 * TERA,
    bandwidthBytesPerSecond: 768 * GB,
    interconnectBytesPerSecond: 56.25 * GB,
    boardWatts: 300,
    source:
      'NVIDIA RTX A6000 data sheet: 309.7 TFLOP/s sparse, half of it dense, 768 GB/s, NVLink 112.5 GB/s both ways, 300 W',
  },
  h200: {
    id: 'h200',
    label: 'H200 141 GB SXM',
    memoryBytes: 141e9,
    peakFlopsPerSecond: 989.4 * TERA,
    bandwidthBytesPerSecond: 4800 * GB,
    interconnectBytesPerSecond: 450 * GB,
    boardWatts: 700,
    source:
      'NVIDIA H200 SXM data sheet: 141 GB, 4.8 TB/s, NVLink 900 GB/s both ways, 700 W; peak as H100',
  },
};

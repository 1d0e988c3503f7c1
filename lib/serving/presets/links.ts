import type { LinkSpec } from '../cost/op-tables/op-tables';
import type { HardwareSpec } from '../types';

/** Times of a collective at two sizes, in bytes and seconds. */
type Sample = readonly [bytes: number, seconds: number];

/** The line latency + bytes / bandwidth through two measured sizes; `moved` is the share that crosses the link. */
function lineThrough([a, atA]: Sample, [b, atB]: Sample, moved = 1) {
  const secondsPerByte = (atB - atA) / (b - a);
  return {
    bytesPerSecond: moved / secondsPerByte,
    latencySeconds: atA - a * secondsPerByte,
  };
}

const MIB = 2 ** 20;
/** Of two ranks each sends half of what is gathered or scattered. */
const HALF = 1 / 2;

/** One all-gather and the reduce-scatter after it: the mean of both, NCCL 2.29 on a pair of the card. */
const RTX_PRO_6000_EXCHANGE: Omit<LinkSpec, 'exchange'> = {
  ...lineThrough([2 * MIB, 47.9e-6], [8 * MIB, 149.6e-6], HALF),
  source:
    'NCCL 2.29 all-gather and reduce-scatter of two RTX PRO 6000, AIConfigurator (Apache-2.0)',
};

/**
 * All-reduce of two RTX PRO 6000 over PCIe, from tables that AIConfigurator publishes; their
 * `message_size` counts 16-bit elements (`collector/network/collect_nccl.py`). The custom kernel of
 * vLLM 0.19 was measured at less than half the bandwidth of vLLM 0.24 and of NCCL 2.29.
 */
const RTX_PRO_6000_PAIR = {
  'vLLM 0.19': {
    ...lineThrough([0.5 * MIB, 55.5e-6], [8 * MIB, 567.2e-6]),
    source: 'all-reduce of vLLM 0.19 on two RTX PRO 6000, AIConfigurator (Apache-2.0)',
  },
  later: {
    ...lineThrough([2 * MIB, 72e-6], [8 * MIB, 244e-6]),
    source: 'NCCL all-reduce of two RTX PRO 6000, AIConfigurator (Apache-2.0)',
    exchange: RTX_PRO_6000_EXCHANGE,
  },
} as const satisfies Readonly<Record<string, LinkSpec>>;

/** Start-up of a transfer, as AIConfigurator adds it to every point-to-point message. */
const DEFAULT_LATENCY_SECONDS = 10e-6;

/** Whether a version such as `0.19.0` is below another; false for what is no version. */
export function isBefore(version: string | undefined, major: number, minor: number): boolean {
  const match = /^v?(\d+)\.(\d+)/.exec(version ?? '');
  if (match === null) return false;
  return Number(match[1]) < major || (Number(match[1]) === major && Number(match[2]) < minor);
}

/**
 * The link between accelerators of one machine: measured where a source is known, else the data sheet.
 * @param engineVersion of vLLM, where the engine whose collectives run is known
 */
export function linkOf(hardware: HardwareSpec, engineVersion?: string): LinkSpec {
  if (hardware.id === 'rtx-pro-6000')
    return RTX_PRO_6000_PAIR[isBefore(engineVersion, 0, 24) ? 'vLLM 0.19' : 'later'];
  return {
    bytesPerSecond: hardware.interconnectBytesPerSecond,
    latencySeconds: DEFAULT_LATENCY_SECONDS,
    source: `${hardware.label} data sheet bandwidth and ${DEFAULT_LATENCY_SECONDS * 1e6} us`,
  };
}

import type { LinkSpec } from '../cost/op-tables/op-tables';
import type { HardwareSpec } from '../types';

/**
 * All-reduce of two RTX PRO 6000 over PCIe, from the NCCL table that AIConfigurator publishes for
 * vLLM 0.24: 72 us for 2 MiB and 244 us for 8 MiB, hence latency and bandwidth of the line through
 * both. Its `message_size` counts 16-bit elements.
 */
const RTX_PRO_6000_PAIR: LinkSpec = {
  bytesPerSecond: (6 * 2 ** 20) / 172e-6,
  latencySeconds: 72e-6 - (2 * 172e-6) / 6,
  source: 'NCCL all-reduce of two RTX PRO 6000, AIConfigurator (Apache-2.0)',
};

/** Start-up of a transfer, as AIConfigurator adds it to every point-to-point message. */
const DEFAULT_LATENCY_SECONDS = 10e-6;

/** The link between accelerators of one machine: measured where a source is known, else the data sheet. */
export function linkOf(hardware: HardwareSpec): LinkSpec {
  if (hardware.id === 'rtx-pro-6000') return RTX_PRO_6000_PAIR;
  return {
    bytesPerSecond: hardware.interconnectBytesPerSecond,
    latencySeconds: DEFAULT_LATENCY_SECONDS,
    source: `${hardware.label} data sheet bandwidth and ${DEFAULT_LATENCY_SECONDS * 1e6} us`,
  };
}

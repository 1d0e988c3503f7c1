import type { PlotParams } from '../../spec/kinds/views';
import type { ViewInput } from '../view-input';
import { timeChart } from './kernel-time';
import type { Chart } from './marks';
import { recallChart, stateBytesChart } from './memory-lines';
import { partMassChart } from './part-mass';
import { storageErrorChart } from './storage-error';

/** Charts of kernel cells by name. */
export const KERNEL_CHARTS: Partial<
  Record<PlotParams['chart'], (inputs: readonly ViewInput[]) => Chart | undefined>
> = {
  'kernel-time': timeChart,
  'part-mass': partMassChart,
  'storage-error': storageErrorChart,
  recall: recallChart,
  'state-bytes': stateBytesChart,
};

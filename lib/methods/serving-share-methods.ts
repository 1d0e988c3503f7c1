import { presetOfId } from '../serving/compose/presets';
import type { Method, MethodCell } from './types';

const part = 'serving: what one accelerator does at once';

/** A load, served in chunks beside the decodes and by the method. */
function against(id: string, shared: object = {}, load: object = {}): readonly MethodCell[] {
  const source = { type: 'generator', requests: 300, ...load };
  const strategy = presetOfId(id);
  return [
    { id: 'load', kind: 'workload', params: { source } },
    {
      id: 'chunks',
      kind: 'serve',
      inputs: ['load'],
      params: { ...shared, strategy: { type: 'sarathi', tokenBudget: 512 } },
    },
    { id: 'changed', kind: 'serve', inputs: ['load'], params: { ...shared, strategy } },
    { id: 'table', kind: 'table', inputs: ['chunks', 'changed'], params: {} },
  ];
}

/** Methods that change what one accelerator does in an iteration. */
export const SERVING_SHARE_METHODS: readonly Method[] = [
  {
    id: 'layered-prefill',
    name: 'Layered prefill',
    part,
    says: 'A set of prompts goes through one group of layers an iteration, beside all decodes: each layer reads the experts of a prompt once and not once a chunk.',
    cells: against('layered-prefill', {
      model: 'qwen3-30b-a3b',
      hardware: 'h100',
      tensorParallel: 2,
    }),
    leavesOut: 'routing that is not uniform; its tables for other numbers of stages',
  },
  {
    id: 'semi-pd',
    name: 'semi-PD',
    part,
    says: 'Prompts and decodes at the same time on shares of one accelerator and over one pool of KV; the shares follow what is late.',
    cells: against('semi-pd'),
    leavesOut: 'the published update of the shares, the cost of a switch, several machines',
  },
  {
    id: 'nexus',
    name: 'Nexus',
    part,
    says: 'The same with shares from predicted times, and the shortest prompt first.',
    cells: against('nexus'),
    leavesOut: 'profiles by operator; the published bounds',
  },
  {
    id: 'flowprefill',
    name: 'FlowPrefill',
    part,
    says: 'A prompt with less time to spare stops the one that runs at the end of an operator, and nothing is lost.',
    cells: against('flowprefill'),
    leavesOut: 'deadlines by class of request; prompts divided above 8192 tokens',
  },
];

import type { HardwareProfile } from '../../spec/kinds/serve-profile';
import type { Notebook } from '../../spec/notebook';
import { HARDWARE_IDS, MODEL_IDS } from '../../spec/presets';
import { parseNotebook } from '../../spec/validate';
import { hardwareNamed } from '../fidelity/engine-settings';
import { MODELS } from '../presets/models';

/**
 * A notebook of one serve cell that runs on the profile: a made-up load, vLLM V1. Model and
 * accelerator are the profile's where it names a preset, since they plan the KV blocks.
 */
export function profileNotebook(profile: HardwareProfile): Notebook {
  const named = profile.law === 'operators' ? profile.model : undefined;
  const model =
    (named === 'none' ? undefined : named) ??
    MODEL_IDS.find((id) => profile.label.startsWith(MODELS[id].label)) ??
    'llama-3.1-8b';
  const hardware = HARDWARE_IDS.find((id) => id === hardwareNamed(profile.label)?.id);
  const text = [
    `${profile.label || 'A profile'}; ${profile.source || 'coefficients as given'}.`,
    hardware === undefined
      ? 'Its accelerator is no preset: `hardware` below only plans the KV blocks.'
      : '',
  ].join('\n');
  const parsed = parseNotebook({
    format: 'headroom/notebook',
    version: 1,
    title: 'Serving on a fitted profile',
    cells: [
      { id: 'about', kind: 'text', params: { markdown: text.trim() } },
      { id: 'load', kind: 'workload', params: {} },
      {
        id: 'serve',
        kind: 'serve',
        inputs: ['load'],
        params: {
          model,
          ...(hardware === undefined ? {} : { hardware }),
          ...(profile.law === 'operators' ? { tensorParallel: profile.tensorParallel } : {}),
          strategy: { type: 'vllm-v1' },
          costModel: { type: 'profile', profile },
        },
      },
    ],
  });
  if (!parsed.ok) throw new Error(parsed.issues[0]?.message ?? 'invalid notebook');
  return parsed.notebook;
}

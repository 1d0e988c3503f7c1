import Papa from 'papaparse';

/** One measured configuration: its repeats, and their mean. */
export interface SiliconConfiguration {
  readonly backend: string;
  readonly model: string;
  readonly system: string;
  readonly gemm: 'bfloat16' | 'fp8';
  readonly tensorParallel: number;
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly concurrency: number;
  readonly tpotSeconds: readonly number[];
  readonly ttftSeconds: readonly number[];
}

const NEEDED = [
  'backend',
  'model_path',
  'system',
  'isl',
  'osl',
  'batch_size',
  'tp_size',
  'pp_size',
  'gemm_quant_mode',
  'silicon_ttft_ms',
  'silicon_tpot_ms',
];

/** @throws Error naming file, line and field */
export function readSilicon(file: string, text: string): SiliconConfiguration[] {
  const { data, meta } = Papa.parse<Record<string, string>>(text, {
    header: true,
    skipEmptyLines: true,
  });
  const missing = NEEDED.filter((name) => !meta.fields?.includes(name));
  if (missing.length > 0) throw new Error(`${file}: line 1: missing column ${missing.join(', ')}`);
  const groups = new Map<string, SiliconConfiguration>();
  data.forEach((row, i) => {
    const number = (name: string): number => {
      const value = Number(row[name]);
      if (row[name] === '' || !(value > 0))
        throw new Error(
          `${file}: line ${i + 2}: invalid ${name}: ${JSON.stringify(row[name])} (expected a number above 0)`,
        );
      return value;
    };
    if (number('pp_size') !== 1)
      throw new Error(
        `${file}: line ${i + 2}: pipelines are not modelled (pp_size ${row.pp_size})`,
      );
    const configuration = {
      backend: row.backend ?? '',
      model: row.model_path ?? '',
      system: row.system ?? '',
      gemm: row.gemm_quant_mode === 'fp8' ? 'fp8' : 'bfloat16',
      tensorParallel: number('tp_size'),
      promptTokens: number('isl'),
      outputTokens: number('osl'),
      concurrency: number('batch_size'),
    } as const;
    const key = JSON.stringify([configuration, row.backend_version]);
    const known = groups.get(key);
    const tpot = number('silicon_tpot_ms') / 1e3;
    const ttft = number('silicon_ttft_ms') / 1e3;
    groups.set(key, {
      ...configuration,
      tpotSeconds: [...(known?.tpotSeconds ?? []), tpot],
      ttftSeconds: [...(known?.ttftSeconds ?? []), ttft],
    });
  });
  return [...groups.values()];
}

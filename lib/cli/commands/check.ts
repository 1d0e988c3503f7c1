import type { Command } from '../command-line';

const CHECKS: Readonly<Record<string, () => Promise<readonly [Command, usage: string]>>> = {
  vidur: async () => {
    const { checkVidur, VIDUR_USAGE } = await import('../check/vidur');
    return [checkVidur, VIDUR_USAGE];
  },
  vllm: async () => {
    const { checkVllm, VLLM_USAGE } = await import('../check/vllm');
    return [checkVllm, VLLM_USAGE];
  },
  silicon: async () => {
    const { checkSilicon, SILICON_USAGE } = await import('../check/silicon');
    return [checkSilicon, SILICON_USAGE];
  },
  row: async () => {
    const { checkRow, ROW_USAGE } = await import('../check/row');
    return [checkRow, ROW_USAGE];
  },
};

/** `headroom check WHAT`: see the usage of each check. @returns the exit code */
export async function checkCommand([what = '', ...args]: readonly string[]): Promise<number> {
  const load = Object.hasOwn(CHECKS, what) ? CHECKS[what] : undefined;
  if (load !== undefined) {
    const [check] = await load();
    return check(args);
  }
  const loaded = await Promise.all(Object.values(CHECKS).map((each) => each()));
  const usage = loaded.map(([, text]) => text).join('\n');
  if (what === '--help' || what === '-h') {
    console.log(usage);
    return 0;
  }
  console.error(`${what === '' ? 'missing check' : `unknown check: ${what}`}\n\n${usage}`);
  return 2;
}

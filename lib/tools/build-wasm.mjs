import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './paths.mjs';

// `npm run build:wasm`: AssemblyScript to TypeScript modules that hold the binaries, so that the page
// needs neither the compiler nor requests of their own for some KB.

/**
 * Each `kernels/ENTRY.ts` becomes `NAME-binary.ts`; what is relaxed may use fused multiply-adds, which
 * not every engine knows. The decoder stays plain: its logits are the same bits everywhere.
 */
export const KERNEL_MODULES = [
  { name: 'attention', entry: 'attention', isRelaxed: false },
  { name: 'attention-relaxed', entry: 'attention', isRelaxed: true },
  { name: 'transformer', entry: 'transformer', isRelaxed: false },
];

// The memory's maximum is declared because a shared memory must have one.
const OPTIONS = [
  ...['--runtime', 'stub', '--enable', 'simd', '-O3', '--converge', '--noAssert'],
  ...['--importMemory', '--noExportMemory', '--initialMemory', '0', '--maximumMemory', '65536'],
];

/**
 * Compiles an entry of the kernels with all it imports.
 * @param {string} name of KERNEL_MODULES
 * @returns {Promise<Uint8Array>} the WebAssembly binary
 */
export async function compileKernels(name) {
  const module = KERNEL_MODULES.find((each) => each.name === name);
  if (module === undefined) throw new Error(`unknown kernels: ${name}`);
  const entry = `lib/wasm/kernels/${module.entry}.ts`;
  const relaxed = module.isRelaxed ? ['--enable', 'relaxed-simd'] : [];
  const { default: asc } = await import('assemblyscript/asc');
  let binary;
  const { error, stderr } = await asc.main(
    [entry, '--baseDir', ROOT, '--outFile', `${name}.wasm`, ...OPTIONS, ...relaxed],
    {
      readFile: (name, baseDir) => {
        try {
          return readFileSync(join(baseDir, name), 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (_, contents) => {
        binary = contents;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`cannot compile ${entry}: ${error.message}\n${stderr.toString()}`);
  return binary;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const { name, entry, isRelaxed } of KERNEL_MODULES) {
    const binary = await compileKernels(name);
    const base64 = Buffer.from(binary).toString('base64');
    const file = `lib/wasm/${name}-binary.ts`;
    writeFileSync(
      join(ROOT, file),
      [
        `/** \`kernels/${entry}.ts\` compiled by \`npm run build:wasm\`${isRelaxed ? ', with relaxed SIMD' : ''}. */`,
        `export const ${name.toUpperCase().replace('-', '_')}_WASM_BASE64 =`,
        `  '${base64}';\n`,
      ].join('\n'),
    );
    console.log(`${file}: ${binary.length} bytes`);
  }
}

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './paths.mjs';

// `npm run build:wasm`: AssemblyScript to a TypeScript module that holds the binary, so that the
// page needs neither the compiler nor a request of its own for 7 KB.
const ENTRY = 'lib/wasm/kernels/attention.ts';
const BINARY_MODULE = 'lib/wasm/attention-binary.ts';

// The memory's maximum is declared because a shared memory must have one.
const OPTIONS = [
  ...['--runtime', 'stub', '--enable', 'simd', '-O3', '--converge', '--noAssert'],
  ...['--importMemory', '--noExportMemory', '--initialMemory', '0', '--maximumMemory', '65536'],
];

/**
 * Compiles the attention and recurrent kernels.
 * @returns {Promise<Uint8Array>} the WebAssembly binary
 */
export async function compileAttention() {
  const { default: asc } = await import('assemblyscript/asc');
  let binary;
  const { error, stderr } = await asc.main(
    [ENTRY, '--baseDir', ROOT, '--outFile', 'attention.wasm', ...OPTIONS],
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
  if (error) throw new Error(`cannot compile ${ENTRY}: ${error.message}\n${stderr.toString()}`);
  return binary;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const binary = await compileAttention();
  const base64 = Buffer.from(binary).toString('base64');
  writeFileSync(
    join(ROOT, BINARY_MODULE),
    [
      '/** `kernels/attention.ts` compiled by `npm run build:wasm`. */',
      'export const ATTENTION_WASM_BASE64 =',
      `  '${base64}';\n`,
    ].join('\n'),
  );
  console.log(`${BINARY_MODULE}: ${binary.length} bytes`);
}

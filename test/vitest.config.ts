import { defineConfig } from 'vitest/config';

/** `.wgsl` and `.md` import as text, as in the page's build. */
const rawText = {
  name: 'raw-text',
  transform(code: string, id: string) {
    return /\.(wgsl|md)$/.test(id)
      ? { code: `export default ${JSON.stringify(code)}`, map: null }
      : undefined;
  },
};

export default defineConfig({
  root: new URL('..', import.meta.url).pathname,
  plugins: [rawText],
  test: {
    include: ['test/unit/**/*.test.ts', 'test/unit/**/*.test.tsx'],
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
});

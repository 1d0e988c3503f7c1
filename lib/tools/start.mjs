import { ensureInstall } from './ensure-install.mjs';

// Packages first: the modules below import some.
await ensureInstall();
const { build } = await import('./build.mjs');
try {
  await build();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
await import('./serve.mjs');

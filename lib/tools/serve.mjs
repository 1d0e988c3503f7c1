import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { basePathOf } from './base-path.mjs';
import { OUT } from './paths.mjs';
import { startStaticServer } from './static-server.mjs';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: process.env.PORT ?? '4173' },
    base: { type: 'string', default: process.env.HEADROOM_BASE_PATH ?? '' },
  },
});
if (!existsSync(OUT)) {
  console.error('nothing to serve: run `npm run build` first');
  process.exit(1);
}
const port = Number(values.port);
if (!Number.isInteger(port) || port < 0 || port > 65_535) {
  console.error(`invalid port: ${values.port} (expected 0..65535)`);
  process.exit(1);
}

let basePath;
try {
  basePath = basePathOf(values.base);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}

/** The wanted port, else the next free one: a second workbench should just open beside the first. */
async function startOnFreePort() {
  for (let candidate = port; candidate < port + 20; candidate++) {
    try {
      return await startStaticServer(OUT, { port: candidate, basePath });
    } catch (error) {
      if (error.code !== 'EADDRINUSE' || port === 0) throw error;
    }
  }
  throw new Error(`no free port in ${port}..${port + 19}`);
}

const { url } = await startOnFreePort();
console.log(`Headroom is at ${url}`);

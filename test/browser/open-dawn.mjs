import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const HOST = fileURLToPath(new URL('./dawn-host.mjs', import.meta.url));

/**
 * Starts a child process over Dawn and calls its functions by name; see `dawn-host.mjs`. Rejects
 * where it does not come up, and every open call rejects when it dies.
 * @param {{ dawn: string, env: Record<string, string> }} adapter
 * @param {string} [pageUrl] URL of a bundled page module
 * @returns {Promise<{ call(name: string, args: readonly unknown[]): Promise<unknown>, close(): Promise<void> }>}
 */
export async function openDawn({ dawn, env }, pageUrl) {
  const child = fork(HOST, [dawn, ...(pageUrl === undefined ? [] : [pageUrl])], {
    env: { ...process.env, ...env },
    // Typed arrays, NaN and infinities cross as they are.
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  /** @type {Map<number | 'ready', { resolve(value: unknown): void, reject(error: Error): void }>} */
  const open = new Map();
  let said = '';
  let last = 0;
  child.stderr.on('data', (chunk) => {
    said += chunk;
    // Dawn remarks on limits that it lowers; anything else is worth seeing.
    const text = String(chunk).replace(/^Warning: max\w+ artificially reduced .*\n/gm, '');
    if (text !== '') process.stderr.write(text);
  });
  child.on('message', ({ id, value, error }) => {
    const pending = open.get(id);
    open.delete(id);
    if (error === undefined) pending?.resolve(value);
    else pending?.reject(new Error(error));
  });
  const exited = new Promise((resolve) => {
    child.on('exit', (code, signal) => {
      const reason = `the process of Dawn ended (${signal ?? `exit code ${code}`}): ${said.trim().slice(-400)}`;
      for (const { reject } of open.values()) reject(new Error(reason));
      open.clear();
      resolve(undefined);
    });
  });
  const answer = (id) => new Promise((resolve, reject) => open.set(id, { resolve, reject }));
  await answer('ready');
  return {
    call: (name, args) => {
      if (!child.connected) return Promise.reject(new Error('the process of Dawn has ended'));
      const id = ++last;
      const answered = answer(id);
      child.send({ id, name, args });
      return answered;
    },
    close: async () => {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}

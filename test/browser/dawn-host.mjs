/**
 * A child process that offers the functions of a test page over Dawn instead of a browser.
 * Arguments: URL of the package `webgpu`, URL of the bundled page module (none: only the adapter
 * is asked for). The parent sends `{ id, name, args }` and gets `{ id, value }` or `{ id, error }`.
 */
const [dawnUrl, pageUrl] = process.argv.slice(2);

const { create, globals } = await import(dawnUrl);
const gpu = create([]);
Object.assign(globalThis, globals);
Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });

/** What tells this adapter from others. */
async function describeAdapter() {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter === null) return undefined;
  const { info, limits } = adapter;
  return {
    name: info.description === '' ? `${info.vendor} ${info.architecture}` : info.description,
    subgroupSizes: [info.subgroupMinSize, info.subgroupMaxSize],
    features: ['subgroups', 'shader-f16', 'timestamp-query'].filter((each) =>
      adapter.features.has(each),
    ),
    maxInvocations: limits.maxComputeInvocationsPerWorkgroup,
  };
}

if (pageUrl !== undefined) await import(pageUrl);
const functions = { describeAdapter, ...globalThis.kernelTests };

process.on('message', async ({ id, name, args }) => {
  try {
    process.send({ id, value: await functions[name](...args) });
  } catch (error) {
    process.send({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
// Dawn's own handles keep a process alive.
process.on('disconnect', () => process.exit(0));
process.send({ id: 'ready' });

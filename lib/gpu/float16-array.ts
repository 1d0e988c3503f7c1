// webgpu-utils names this type while it loads, and throws in browsers that have none. No struct
// here has f16 members, so that nothing is ever stored in the stand-in.
const scope = globalThis as { Float16Array?: unknown };
scope.Float16Array ??= class Float16Array extends Uint16Array {};

export {};

/** What the engines of model and cache cells are. */
export const ENGINE_HELP =
  'Engine: auto reads prompts on a GPU, and writes tokens where that was measured to be faster; without a GPU all is WebAssembly. webgpu takes any adapter, software ones too. The result says what ran where.';

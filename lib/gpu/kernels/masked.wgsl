// Stands for minus infinity, which WGSL cannot write. A row whose maximum is still below
// MASKED_BELOW has seen no key: its output is 0 and its LSE becomes -Infinity on the CPU side.
const LOWEST: f32 = -3.0e38;
const MASKED_BELOW: f32 = -1.0e38;

/** A module whose only function returns `f32x4.relaxed_madd` of three constants. */
const PROBE = Uint8Array.of(
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  // Type () -> v128, one function of it.
  ...[1, 5, 1, 0x60, 0, 1, 0x7b],
  ...[3, 2, 1, 0],
  // i32.const 0, i8x16.splat, three times; f32x4.relaxed_madd; end.
  ...[10, 19, 1, 17, 0, 0x41, 0, 0xfd, 15, 0x41, 0, 0xfd, 15, 0x41, 0, 0xfd, 15, 0xfd, 0x85, 2, 11],
);

let answer: boolean | undefined;

/** Whether this engine compiles relaxed SIMD: Chromium from 114, Firefox from 145; Node 20 by a flag. */
export function hasRelaxedSimd(): boolean {
  answer ??= WebAssembly.validate(PROBE);
  return answer;
}

/** How results and benches name the instructions that ran. */
export const simdLabel = (): string =>
  hasRelaxedSimd() ? 'WebAssembly relaxed SIMD' : 'WebAssembly SIMD';

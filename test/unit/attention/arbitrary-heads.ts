import fc from 'fast-check';
import { randomHead } from './select-cases';

/** Heads of any small shape, causal or not, flat to peaky. */
export const anyHeads = fc
  .record({
    queries: fc.integer({ min: 1, max: 150 }),
    keys: fc.integer({ min: 1, max: 170 }),
    causal: fc.boolean(),
    seed: fc.integer({ min: 1, max: 1e6 }),
    spread: fc.constantFrom(0.3, 1, 3),
  })
  .map(randomHead);

// S_t = a_t S_{t-1} (I - beta_t k_t k_t^T) + beta_t v_t k_t^T, o_t = S_t q_t, four tokens at once: the
// chunk form of lib/attention/recurrent/chunked.ts with chunks of four. With D_i the product of the
// decays up to token i of the four, L_ij that of those after j up to i, and S the state before them,
//   o_i = S (D_i o q_i) + sum_{j <= i} (q_i . L_ij k_j) u_j,   S' = D S + sum_j u_j (L_j k_j)^T,
//   u_i = v_i, or beta_i (v_i - S (D_i o k_i) - sum_{j < i} (k_i . L_ij k_j) u_j) for delta rules.
// The state is read once or twice and written once for four tokens.

import { holdPanel, readPanel, writePanel } from './recurrent-panels';
import { normaliseFour, prepareErasers, prepareFour } from './recurrent-prepare';
import { WRITES } from './recurrent-scratch';

/**
 * Walks `4 fours` tokens of one row of batch x heads.
 *
 * @param scratch RECURRENT_SCRATCH_BYTES
 * @param query,key [tokens][keySize], keySize a multiple of 4; tokens past the end are zeros with a
 *   decay of 1
 * @param value,output [tokens][valuePanels x 8]
 * @param decay of token t and channel c at t x tokenStride + c x channelStride bytes, channelStride 0
 *   or 4; a tokenStride of 0 says that all are 1
 * @param writeStrength [tokens], or 0 where the rule is no delta rule
 * @param state [valuePanels][keySize][8], read and written
 * @param normaliser [keySize], read and written, or 0 for none
 * @param output 0 where only the state is wanted
 */
export function walkFours(
  scratch: usize,
  query: usize,
  key: usize,
  value: usize,
  decay: usize,
  tokenStride: usize,
  channelStride: usize,
  writeStrength: usize,
  state: usize,
  normaliser: usize,
  output: usize,
  fours: usize,
  keySize: usize,
  valuePanels: usize,
): void {
  const keyRow: usize = 4 * keySize;
  const valueRow: usize = 32 * valuePanels;
  const isDelta = writeStrength != 0;
  for (let four: usize = 0; four < fours; four++) {
    prepareFour(scratch, query, key, decay, tokenStride, channelStride, keySize);
    if (isDelta) prepareErasers(scratch, key, decay, tokenStride, channelStride, keySize);
    if (normaliser != 0) normaliseFour(scratch, normaliser, keySize);
    for (let panel: usize = 0; panel < valuePanels; panel++) {
      const held = state + panel * 32 * keySize;
      const values = value + 32 * panel;
      if (isDelta) holdPanel(scratch, held, values, valueRow, writeStrength, keySize);
      const writes = isDelta ? scratch + WRITES : values;
      const row: usize = isDelta ? 32 : valueRow;
      if (output != 0) {
        readPanel(scratch, held, writes, row, output + 32 * panel, valueRow, keySize);
      }
      writePanel(scratch, held, writes, row, keySize, tokenStride != 0);
    }
    query += 4 * keyRow;
    key += 4 * keyRow;
    decay += 4 * tokenStride;
    if (isDelta) writeStrength += 16;
    value += 4 * valueRow;
    if (output != 0) output += 4 * valueRow;
  }
}

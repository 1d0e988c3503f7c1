import { countsImages } from '../../serving/lane-roles';
import type { TimelineLane } from '../../serving/types';
import { formatPercent, formatSeconds } from '../format';
import {
  aggregateLane,
  firstStartAtOrAfter,
  iterationsOf,
  type LaneIndex,
  underPixel,
} from './lane-index';
import { sharesAt } from './side-aggregates';
import type { Span } from './span';

export interface LabelledLane {
  readonly label: string;
  readonly index: LaneIndex;
}

/** The most rows of one CSV export. */
const CSV_ROWS = 1_000_000;

/** Iterations that start in the span, lane by lane, at most `limit`. */
export function* visibleRows(lanes: readonly LabelledLane[], span: Span, limit: number) {
  let left = limit;
  for (const labelled of lanes) {
    const { label, index } = labelled;
    const { lane, count } = index;
    for (
      let i = firstStartAtOrAfter(lane.startSeconds, count, span.start);
      i < count && (lane.startSeconds[i] as number) < span.end;
      i++
    ) {
      if (left-- === 0) return;
      yield { labelled, label, lane, i };
    }
  }
}

/** The visible iterations as CSV, units in the column names. */
export function visibleCsv(lanes: readonly LabelledLane[], span: Span): string {
  const rows = [
    'lane,iteration,start_s,duration_s,prefill_tokens,decode_tokens,batch_size,queue_length,kv_blocks,iterations,role,request',
  ];
  for (const { label, lane, i } of visibleRows(lanes, span, CSV_ROWS)) {
    rows.push(
      [
        `"${label.replaceAll('"', '""')}"`,
        i,
        lane.startSeconds[i],
        lane.durationSeconds[i],
        lane.prefillTokens[i],
        lane.decodeTokens[i],
        lane.batchSize[i],
        lane.queueLength[i],
        lane.kvBlocksUsed[i],
        iterationsOf(lane, i),
        lane.role === 'link' ? (lane.traffic ?? 'transfer') : lane.role,
        requestOf(lane, i) ?? '',
      ].join(','),
    );
  }
  return `${rows.join('\r\n')}\r\n`;
}

/** The request whose KV a row of a link moves, or whose images are encoded. */
export function requestOf({ requestIds }: TimelineLane, i: number): number | undefined {
  const id = requestIds?.[i];
  return id === undefined || id < 0 ? undefined : id;
}

/** What the rows of a lane are. */
export function rowNoun({ role, traffic }: TimelineLane): string {
  if (role === 'share') return 'period';
  if (role === 'encode') return 'batch';
  if (traffic === 'images') return 'transfer';
  return role === 'link' ? (traffic ?? 'transfer') : 'iteration';
}

/** The same of more than one. */
export const rowsNoun = (lane: TimelineLane): string =>
  lane.role === 'encode' ? 'batches' : `${rowNoun(lane)}s`;

/** How many tokens of KV, or images, a row of a link or an encoder is about. */
export function amountOf(lane: TimelineLane, i: number): string {
  const count = lane.prefillTokens[i] as number;
  return countsImages(lane) ? `${count} image${count === 1 ? '' : 's'}` : `${count} tokens of KV`;
}

/** What lies under a pixel in words: one iteration, or how many, how busy, and the longest of them. */
export function describePixel(
  lane: LabelledLane,
  startSeconds: number,
  endSeconds: number,
): string {
  const { count, longest } = underPixel(lane.index, startSeconds, endSeconds);
  if (count === 0) return `${lane.label}, idle at ${formatSeconds(startSeconds)}`;
  if (count === 1) return describeIteration(lane, longest);
  const { busyFraction } = aggregateLane(lane.index, startSeconds, endSeconds);
  return `${lane.label}, ${count} ${rowsNoun(lane.index.lane)} here, busy ${formatPercent(busyFraction)}; the longest: ${describeIteration(lane, longest).slice(lane.label.length + 2)}`;
}

/** One iteration in words, for the hover text and for the live region. */
export function describeIteration({ label, index }: LabelledLane, i: number): string {
  const { lane, count } = index;
  if (i < 0 || i >= count) return '';
  const duration = formatSeconds(lane.durationSeconds[i] as number);
  const start = formatSeconds(lane.startSeconds[i] as number);
  if (lane.role === 'link' || lane.role === 'encode') {
    const id = requestOf(lane, i);
    const whose = id === undefined ? '' : ` of request ${id}`;
    return `${label}, ${rowNoun(lane)} ${i}, at ${start}, ${duration}, ${amountOf(lane, i)}${whose}`;
  }
  if (lane.role === 'share') {
    const { prefill, decode } = sharesAt(index, i);
    return `${label}, period ${i}, at ${start}, ${duration}, prompts have ${formatPercent(prefill)}, decodes ${formatPercent(decode)}`;
  }
  const kv = formatPercent((lane.kvBlocksUsed[i] as number) / lane.kvBlocksTotal);
  const times = iterationsOf(lane, i);
  const name = times === 1 ? `iteration ${i}` : `run ${i} of ${times} iterations`;
  return `${label}, ${name}, at ${start}, ${duration}, ${lane.prefillTokens[i]} prefill tokens, ${lane.decodeTokens[i]} decodes, queue ${lane.queueLength[i]}, KV ${kv}`;
}

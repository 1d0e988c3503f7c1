export interface PipelineResult {
  readonly makespanSeconds: number;
  /** Idle share of all stages until the first slot is over: what is left then only drains. */
  readonly bubbleShare: number;
}

/**
 * Micro-batches through the stages of a pipeline. Each slot has one micro-batch in flight; its next
 * may enter when the last has left the last stage. Slots enter in turn; a slot that is over is skipped.
 *
 * @param stages also the number of slots
 * @param nextSeconds time of a slot's next micro-batch on one stage; undefined when the slot is over
 */
export function runPipeline(
  stages: number,
  nextSeconds: (slot: number) => number | undefined,
): PipelineResult {
  const stageEnd = new Float64Array(stages);
  const slotEnd = new Float64Array(stages);
  const isOver = new Array<boolean>(stages).fill(false);
  let busy = 0;
  let bubbleShare: number | undefined;
  const idle = (): number => 1 - busy / (stages * Math.max(...stageEnd));
  let left = stages;
  for (let slot = 0; left > 0; slot = (slot + 1) % stages) {
    if (isOver[slot]) continue;
    const seconds = nextSeconds(slot);
    if (seconds === undefined) {
      if (bubbleShare === undefined) bubbleShare = busy > 0 ? idle() : 0;
      isOver[slot] = true;
      left--;
      continue;
    }
    let ready = slotEnd[slot] as number;
    for (let stage = 0; stage < stages; stage++) {
      ready = Math.max(ready, stageEnd[stage] as number) + seconds;
      stageEnd[stage] = ready;
    }
    slotEnd[slot] = ready;
    busy += stages * seconds;
  }
  return { makespanSeconds: Math.max(...stageEnd), bubbleShare: bubbleShare ?? 0 };
}

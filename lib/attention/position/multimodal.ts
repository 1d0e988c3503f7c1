/** A stream of runs of text, each followed by a clip: frames of tokens, and the sound of each frame. */
export interface MultimodalLayout {
  /** Text before every clip. */
  readonly textTokens: number;
  /** Frames of a clip. */
  readonly frames: number;
  /** Tokens of a frame, row by row. */
  readonly rows: number;
  readonly columns: number;
  /** Steps of time from one frame to the next. */
  readonly stepsPerFrame: number;
  /** Whether the sound of a frame follows it, one token per step of time. */
  readonly hasSound: boolean;
}

/** Time, height and width. */
export const MULTIMODAL_AXES = 3;

export type Modality = 'text' | 'frame' | 'sound';

/** What a slot is, and its place on the three axes. */
interface MultimodalSlot {
  readonly modality: Modality;
  readonly at: readonly [time: number, height: number, width: number];
}

/**
 * Time-aligned positions of three parts (TMRoPE; Qwen2.5-Omni, 2025), slot by slot: text and sound
 * have the same number on all axes; the tokens of a frame share its time and have a row and a column
 * of their own; a frame and its sound begin at the same time. What follows starts one above the
 * largest number before it. Here the sound of a frame comes right behind it; there by two seconds.
 */
function* slotsOf(layout: MultimodalLayout): Generator<MultimodalSlot, never> {
  const { textTokens, frames, rows, columns, stepsPerFrame, hasSound } = layout;
  let next = 0;
  for (;;) {
    for (let i = 0; i < textTokens; i++, next++) yield { modality: 'text', at: [next, next, next] };
    for (let frame = 0; frame < frames; frame++) {
      const time = next + frame * stepsPerFrame;
      for (let cell = 0; cell < rows * columns; cell++) {
        const row = Math.floor(cell / columns);
        yield { modality: 'frame', at: [time, next + row, next + (cell % columns)] };
      }
      for (let step = 0; hasSound && step < stepsPerFrame; step++) {
        const at = time + step;
        yield { modality: 'sound', at: [at, at, at] };
      }
    }
    const last = (frames - 1) * stepsPerFrame + (hasSound ? stepsPerFrame - 1 : 0);
    next += Math.max(last, rows - 1, columns - 1) + 1;
  }
}

/**
 * Positions of the first `slots` slots, [slots, 3]: time, height and width.
 *
 * @throws RangeError where a size of the layout is out of range
 */
export function multimodalPositions(layout: MultimodalLayout, slots: number): Float64Array {
  checkLayout(layout);
  const positions = new Float64Array(slots * MULTIMODAL_AXES);
  const stream = slotsOf(layout);
  for (let slot = 0; slot < slots; slot++) {
    positions.set(stream.next().value.at, slot * MULTIMODAL_AXES);
  }
  return positions;
}

/** What the first `slots` slots are. */
export function modalitiesOf(layout: MultimodalLayout, slots: number): readonly Modality[] {
  checkLayout(layout);
  const stream = slotsOf(layout);
  return Array.from({ length: slots }, () => stream.next().value.modality);
}

function checkLayout(layout: MultimodalLayout): void {
  const least = { textTokens: 0, frames: 1, rows: 1, columns: 1, stepsPerFrame: 1 } as const;
  for (const name of Object.keys(least) as (keyof typeof least)[]) {
    const value = layout[name];
    if (!Number.isInteger(value) || value < least[name]) {
      throw new RangeError(`invalid ${name}: ${value} (expected an integer from ${least[name]})`);
    }
  }
}

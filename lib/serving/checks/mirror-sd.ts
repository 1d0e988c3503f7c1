import { expectedTokens } from '../transforms/speculation';
import { CLAIM } from './cost-parts';
import type { CheckFigure, RowCheck } from './types';

/** Times in units of one decode step of the target. */
interface Setting {
  readonly acceptance: number;
  /** Time of drafting one token. */
  readonly draftSeconds: number;
  /** Share of the target's layers below the early exit, where the draft starts. */
  readonly exitShare: number;
  readonly rendezvousSeconds: number;
  /** What one more verified token adds to the target's pass. */
  readonly verifySeconds: number;
}

/** Tokens per unit of time: the draft runs first, then the target verifies. */
function serialSpeed(k: number, s: Setting): number {
  const tokens = expectedTokens({
    draftTokens: k,
    acceptance: s.acceptance,
    acceptances: [],
    draftCost: 0,
  });
  return tokens / (1 + k * s.verifySeconds + k * s.draftSeconds);
}

/** The draft runs beside the layers above the exit; only what is longer than they are shows. */
function mirrorSpeed(k: number, s: Setting): number {
  const tokens = expectedTokens({
    draftTokens: k,
    acceptance: s.acceptance,
    acceptances: [],
    draftCost: 0,
  });
  const target = 1 + k * s.verifySeconds;
  const bare = Math.max(0, k * s.draftSeconds - target * (1 - s.exitShare));
  return tokens / (target + bare + s.rendezvousSeconds);
}

const SETTING: Setting = {
  acceptance: 0.8,
  draftSeconds: 0.1,
  exitShare: 0.5,
  rendezvousSeconds: 0.02,
  verifySeconds: 0.01,
};
const LENGTHS = Array.from({ length: 16 }, (_, i) => i + 1);

const best = (speeds: readonly number[]) => {
  const speed = Math.max(...speeds);
  return { speed, k: LENGTHS[speeds.indexOf(speed)] as number };
};

export const mirrorSd: RowCheck = {
  id: 'mirror-sd',
  title: 'Mirror speculative decoding: draft and target at once',
  asks: 'What does a draft cost when it runs beside the upper layers of the target?',
  rule: `At an early-exit layer the target hands its likeliest tokens to the draft, which runs on another device while the target finishes its layers.
When verification ends, a continuation of the accepted branch is ready; else it is drafted again.
A step takes target + max(0, draft - target x (1 - exit layer / layers)) + rendezvous: longer drafts are free until the slack is used up.`,
  evidence: 'abstract',
  *run() {
    const serial = LENGTHS.map((k) => serialSpeed(k, SETTING));
    const mirror = LENGTHS.map((k) => mirrorSpeed(k, SETTING));
    const slack = LENGTHS.filter(
      (k) => k * SETTING.draftSeconds <= (1 + k * SETTING.verifySeconds) * (1 - SETTING.exitShare),
    );
    yield { fraction: 0.5, phase: 'draft lengths' };
    const drafts = Array.from({ length: 12 }, (_, i) => 0.02 * (i + 1));
    const gains = drafts.map((draftSeconds) => {
      const setting = { ...SETTING, draftSeconds };
      return (
        best(LENGTHS.map((k) => mirrorSpeed(k, setting))).speed /
        best(LENGTHS.map((k) => serialSpeed(k, setting))).speed
      );
    });
    const last = serial.length - 1;
    const figures: CheckFigure[] = [
      {
        label: 'best mirrored over best serial',
        value: best(mirror).speed / best(serial).speed,
        unit: 'x',
        expected: { low: 1.2, high: 1.4 },
        source: `30 % over EAGLE-3 is the ${CLAIM}; the band is our estimate`,
      },
      {
        label: 'serial: speed at 16 drafted tokens over its best',
        value: (serial[last] as number) / best(serial).speed,
        unit: 'x',
        expected: { high: 0.95 },
        source: 'the rule itself: a longer draft costs more than it gives',
      },
      {
        label: 'time of a mirrored step at the end of the slack, over one drafted token',
        value:
          (1 + slack.length * SETTING.verifySeconds + SETTING.rendezvousSeconds) /
          (1 + SETTING.verifySeconds + SETTING.rendezvousSeconds),
        unit: 'x',
        expected: { low: 1, high: 1.1 },
        source: 'the rule itself: flat until the draft is longer than the slack',
      },
      { label: 'best mirrored over plain decoding', value: best(mirror).speed, unit: 'x' },
      { label: 'draft length of the best, serial', value: best(serial).k, unit: 'tokens' },
      { label: 'draft length of the best, mirrored', value: best(mirror).k, unit: 'tokens' },
    ];
    return {
      figures,
      series: [
        {
          title: 'speed over plain decoding',
          xLabel: 'drafted tokens',
          yLabel: 'times',
          lines: [
            { name: 'serial', x: LENGTHS, y: serial },
            { name: 'mirrored', x: LENGTHS, y: mirror },
          ],
        },
        {
          title: 'best mirrored over best serial',
          xLabel: 'time of a drafted token, in target steps',
          yLabel: 'times',
          lines: [{ name: 'acceptance 0.8', x: drafts, y: gains }],
        },
      ],
      notes: [
        'acceptance 0.8 at every position, a drafted token at a tenth of a target step, exit at half of the layers, rendezvous 2 % of a step, 1 % for each verified token: assumptions, and the second chart varies the one that counts most',
        'above the band with these assumptions: the second chart shows for which drafts it would be inside',
        'left out: branches that the draft did not foresee, and several tokens per drafting step',
      ],
    };
  },
};

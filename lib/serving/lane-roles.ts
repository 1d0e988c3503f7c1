import type { TimelineLane } from './types';

/** Thousandths: shares of an accelerator are whole numbers of these in a lane's columns. */
export const SHARE_UNIT = 1000;

type Named = Pick<TimelineLane, 'role' | 'traffic'>;

/** Whether a lane is of a replica: links, stores, encoders and shares of an accelerator run no model. */
export const computes = ({ role }: Named): boolean =>
  role !== 'link' && role !== 'share' && role !== 'encode';

/** Whether rows count images, where those of other lanes count tokens. */
export const countsImages = ({ role, traffic }: Named): boolean =>
  role === 'encode' || traffic === 'images';

import type { TimelineLane } from './types';

/** Thousandths: shares of an accelerator are whole numbers of these in a lane's columns. */
export const SHARE_UNIT = 1000;

/** Whether a lane is of a replica: links, stores and shares of an accelerator compute nothing. */
export const computes = ({ role }: Pick<TimelineLane, 'role'>): boolean =>
  role !== 'link' && role !== 'share';

/** The task whose contexts came about by an edit. */
export const EDIT_TASK = 'edits';

/**
 * What a cache can do when its text is edited, from all to nothing that is run again: everything;
 * everything from the edit on; only what was put in, with later keys left as they were rotated; the
 * same, with later keys rotated for their new places (PIE).
 */
export const EDIT_POLICIES = ['full-recompute', 'edit-prefix', 'edit-splice', 'pie'] as const;

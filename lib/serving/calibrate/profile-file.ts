import { type HardwareProfile, serveProfile } from '../../spec/kinds/serve-profile';

const FORMAT = 'headroom/hardware-profile';

/** A profile as the text of a file. */
export function profileFileText(profile: HardwareProfile): string {
  return `${JSON.stringify({ format: FORMAT, version: 1, profile }, null, 2)}\n`;
}

/** Whether the text of a JSON file is a profile's. */
export function isProfileFile(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && (value as { format?: unknown }).format === FORMAT
  );
}

/**
 * @param path of the file, for messages
 * @throws Error naming the file and the first field that is wrong
 */
export function readProfileFile(path: string, value: unknown): HardwareProfile {
  if (!isProfileFile(value)) throw new Error(`${path}: expected a hardware profile (${FORMAT})`);
  const parsed = serveProfile.safeParse((value as { profile?: unknown }).profile);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(
    `${path}: invalid ${['profile', ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'wrong'}`,
  );
}

/** A whole number from 1, or undefined where the field is empty. @throws Error with the value */
export function countOf(name: string, text: string): number | undefined {
  if (text.trim() === '') return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`invalid ${name}: ${text} (expected an integer from 1)`);
  return value;
}

const SHORTAGE = /allocation failed|invalid (typed )?array (buffer )?length|out of memory/i;

/** An engine's failure to make an array, as a sentence that says so; any other error as it is. */
export function asShortage(error: unknown, what: string): unknown {
  if (!(error instanceof RangeError) || !SHORTAGE.test(error.message)) return error;
  return new Error(
    `out of memory: this browser could not hold the tensors of the ${what} cell; choose a smaller shape (${error.message})`,
    { cause: error },
  );
}

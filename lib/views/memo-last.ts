/** Remembers the last call: the same arguments, by identity, give the same value again. */
export function memoLast<Args extends readonly unknown[], Value>(
  compute: (...args: Args) => Value,
): (...args: Args) => Value {
  let last: { readonly args: Args; readonly value: Value } | undefined;
  return (...args) => {
    const isSame =
      last !== undefined &&
      last.args.length === args.length &&
      args.every((arg, i) => Object.is(arg, last?.args[i]));
    if (!isSame || last === undefined) last = { args, value: compute(...args) };
    return last.value;
  };
}

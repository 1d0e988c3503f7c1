'use client';

/** How much of a context stays, in percent. */
export function ShareField(props: {
  readonly name: string;
  readonly share: number;
  readonly onShare: (share: number) => void;
}) {
  const { name, share, onShare } = props;
  return (
    <label>
      keeps{' '}
      <input
        type="range"
        min={1}
        max={100}
        value={Math.round(share * 100)}
        aria-label={name}
        aria-valuetext={`${Number((share * 100).toPrecision(3))} %`}
        onChange={({ target }) => onShare(Number(target.value) / 100)}
      />{' '}
      <output>{Number((share * 100).toPrecision(3))} %</output>
    </label>
  );
}

import styles from './how-right.module.css';

interface Row {
  readonly what: string;
  readonly against: string;
  readonly found: string;
  readonly bar: string;
}

const ROWS: readonly Row[] = [
  {
    what: 'vLLM 0.19, Llama 3.1 8B, one RTX PRO 6000, 300 ShareGPT requests at 10 /s; operator tables of that accelerator and model',
    against: 'run of 25 April 2026, bench of LLMServingSim (MIT); tables of its profiler',
    found: 'TPOT −1.1 %, E2E −1.8 %, TTFT −3.9 %, makespan −1.9 %',
    bar: '2 %, 2.5 %, 5 %, 2 %',
  },
  {
    what: 'the same run from a profile of 40 costs, fitted to those tables and not to the run',
    against: 'the same run',
    found: 'TPOT −0.7 %, E2E −1.5 %, TTFT −3.5 %, makespan −2.0 %',
    bar: '2 %, 2.5 %, 5 %, 2 %',
  },
  {
    what: 'the same run without tables, from operator fits of an RTX 4090 and an H100',
    against: 'the same run',
    found: 'TPOT −5.7 %, E2E −8.4 %, TTFT −16.3 %, makespan −5.7 %',
    bar: 'TPOT 8 %, E2E 10 %',
  },
  {
    what: 'closed loops on H100, 579 configurations of dense models and three engines, tables of AIConfigurator',
    against: 'silicon sample of AIConfigurator (Apache 2.0)',
    found: 'median error of the TPOT 11.1 %, of the TTFT 65 %',
    bar: 'TPOT 12 %',
  },
  {
    what: 'Vidur: vllm, sarathi, orca, faster_transformer and lightllm on its own lookup tables',
    against: 'reference runs of microsoft/vidur (MIT), Llama 3 8B and 70B on A100',
    found: 'every request within 1e-9 s, equal iterations and restarts',
    bar: '1e-9 s',
  },
];

/** What the replays gave on public data, with source and bar. The data itself is not in the page. */
export function WhatWasMeasured() {
  return (
    <section className={styles.section} aria-labelledby="measured-title">
      <h2 id="measured-title">What was measured</h2>
      <p>
        Errors are simulated over measured, less one; below zero the simulator is too fast. Computed
        in November 2026 by <code>headroom check</code>, the code that this page runs. No constant
        was fitted to the run that judges it. The data is not part of the page: the sources are
        named, and the fields below take their files.
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls in its box, and the keyboard must be able to */}
      <section className={styles.scroll} tabIndex={0} aria-label="replays and their errors">
        <table className={styles.facts}>
          <caption className="visually-hidden">replays and their errors</caption>
          <thead>
            <tr>
              <th scope="col">replayed</th>
              <th scope="col">against</th>
              <th scope="col">found</th>
              <th scope="col">bar</th>
            </tr>
          </thead>
          <tbody>
            {ROWS.map(({ what, against, found, bar }) => (
              <tr key={what}>
                <th scope="row">{what}</th>
                <td>{against}</td>
                <td>{found}</td>
                <td>{bar}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p>
        Where it is wrong: the TTFT of closed loops; single groups of them, such as vLLM with Qwen3
        32B in BF16 on H100 (TPOT −14.8 %, median of 90 configurations); and engines other than
        vLLM, whose scheduler stands in for theirs.
      </p>
    </section>
  );
}

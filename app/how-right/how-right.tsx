'use client';

import { type DragEvent, useEffect, useState } from 'react';
import type { CheckApi } from '../../lib/run/check-service';
import type { WorkerClient } from '../../lib/run/worker-client';
import { HOW_RIGHT, SiteLinks } from '../parts/site-links';
import { nextTheme } from '../parts/theme';
import bench from '../workbench.module.css';
import { createCheckClient } from '../workers';
import { Calibrate } from './calibrate';
import { CheckRun } from './check-run';
import { CheckVidur } from './check-vidur';
import styles from './how-right.module.css';
import { WhatWasMeasured } from './what-was-measured';

/** A file that is dropped beside a field must not replace the page. */
const keepPage = (event: DragEvent) => event.preventDefault();

/** The page: what was measured, and the same replays over files of the reader's own. */
export function HowRight() {
  const [client, setClient] = useState<WorkerClient<CheckApi>>();
  useEffect(() => {
    const created = createCheckClient();
    setClient(created);
    return () => created.dispose();
  }, []);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only keeps a stray drop from opening the file
    <div className={bench.page} onDragOver={keepPage} onDrop={keepPage}>
      <header className={bench.bar}>
        <a className={bench.brand} href={`${process.env.HEADROOM_BASE_PATH ?? ''}/`}>
          Headroom
        </a>
        <SiteLinks current={HOW_RIGHT.slug} />
        <span className={bench.spring} />
        <button type="button" onClick={nextTheme}>
          Theme
        </button>
      </header>
      <main id="notebook" className={bench.notebook}>
        <h1>How right is it?</h1>
        <WhatWasMeasured />
        <section className={styles.section} aria-labelledby="run-title">
          <h2 id="run-title">Replay a run of vLLM</h2>
          <CheckRun client={client} />
        </section>
        <section className={styles.section} aria-labelledby="vidur-title">
          <h2 id="vidur-title">Replay a reference run of Vidur</h2>
          <CheckVidur client={client} />
        </section>
        <section className={styles.section} aria-labelledby="calibrate-title">
          <h2 id="calibrate-title">Bring your own calibration</h2>
          <Calibrate client={client} />
        </section>
      </main>
    </div>
  );
}

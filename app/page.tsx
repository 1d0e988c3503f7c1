'use client';
import { wrap } from 'comlink';
import { useEffect, useState } from 'react';
export default function Page() {
  const [n, setN] = useState(0);
  useEffect(() => {
    const w = new Worker(new URL('../workers/kernel.worker.ts', import.meta.url), {
      type: 'module',
    });
    wrap<{ len(): number }>(w).len().then(setN);
  }, []);
  return <p>{n}</p>;
}

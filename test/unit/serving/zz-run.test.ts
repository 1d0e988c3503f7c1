import { test } from 'vitest';
import { runCheck } from '../../../lib/serving/checks/run-check';

test('run', () => {
  for (const id of (process.env.CHECKS ?? '').split(',')) {
    const t0 = process.cpuUsage().user;
    const it = runCheck({ check: id, seed: 1 } as never);
    let s = it.next();
    while (!s.done) s = it.next();
    console.log(id, ((process.cpuUsage().user - t0) / 1e6).toFixed(1), 's cpu');
    for (const f of s.value.figures)
      console.log(f.value.toFixed(3), f.unit, JSON.stringify(f.expected ?? {}), f.label);
    for (const l of s.value.series[0]!.lines)
      console.log('   ', l.name, l.y.map((v) => v.toFixed(2)).join(' '));
    for (const n of s.value.notes.slice(0, 1)) console.log(n);
  }
}, 600000);

import { describe, expect, it } from 'vitest';
import { failedInPlaywright, failedInVitest } from '../../../lib/tools/failed-tests.mjs';

describe('what failed in a report', () => {
  it('of vitest are its failed tests, and files that did not load', () => {
    const passed = { status: 'passed', fullName: 'adds', failureMessages: [] };
    const wrong = {
      status: 'failed',
      fullName: 'divides',
      failureMessages: ['expected 1 to be 2'],
    };
    expect(
      failedInVitest({
        testResults: [
          { name: 'a.test.ts', status: 'failed', assertionResults: [passed, wrong] },
          { name: 'b.test.ts', status: 'failed', assertionResults: [], message: 'no such module' },
          { name: 'c.test.ts', status: 'passed', assertionResults: [passed] },
        ],
      }),
    ).toEqual([
      { name: 'a.test.ts: divides', message: 'expected 1 to be 2' },
      { name: 'b.test.ts', message: 'no such module' },
    ]);
  });

  it('of Playwright are its failed specs at any depth, and errors outside of them', () => {
    const results = [{ errors: [{ message: 'timed out' }] }];
    expect(
      failedInPlaywright({
        suites: [
          {
            title: 'a.spec.ts',
            specs: [{ title: 'opens', ok: true, tests: [] }],
            suites: [
              { title: 'links', specs: [{ title: 'hostile', ok: false, tests: [{ results }] }] },
            ],
          },
        ],
        errors: [{ message: 'no tests found' }],
      }),
    ).toEqual([
      { name: 'a.spec.ts › links › hostile', message: 'timed out' },
      { name: 'outside of a test', message: 'no tests found' },
    ]);
  });

  it('is cut to the lines that tell what was expected', () => {
    const message = Array.from({ length: 40 }, (_, line) => `line ${line}`).join('\n');
    const test = { status: 'failed', fullName: 'is long', failureMessages: [message] };
    const [failure] = failedInVitest({
      testResults: [{ name: 'a.test.ts', status: 'failed', assertionResults: [test] }],
    });
    expect(failure?.message.split('\n')).toHaveLength(12);
  });
});

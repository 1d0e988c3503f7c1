/** The first lines of a message, as much as tells what was expected. */
function head(message, lines = 12) {
  return message.split('\n').slice(0, lines).join('\n');
}

/**
 * What failed in a JSON report of vitest: tests with their messages, and files that did not load.
 *
 * @param {{ testResults?: readonly any[] }} json
 * @returns {{ name: string, message: string }[]}
 */
export function failedInVitest(json) {
  return (json.testResults ?? []).flatMap((file) => {
    const tests = file.assertionResults
      .filter(({ status }) => status === 'failed')
      .map((test) => ({
        name: `${file.name}: ${test.fullName}`,
        message: head((test.failureMessages ?? []).join('\n')),
      }));
    if (tests.length > 0 || file.status !== 'failed') return tests;
    return [{ name: file.name, message: head(file.message ?? '') }];
  });
}

/**
 * What failed in a JSON report of Playwright: specs that no retry passed, and errors outside of any.
 *
 * @param {{ suites?: readonly any[], errors?: readonly any[] }} json
 * @returns {{ name: string, message: string }[]}
 */
export function failedInPlaywright(json) {
  const inSuite = (suite, titles) => [
    ...(suite.suites ?? []).flatMap((inner) => inSuite(inner, [...titles, inner.title])),
    ...(suite.specs ?? [])
      .filter(({ ok }) => !ok)
      .map((spec) => ({
        name: [...titles, spec.title].join(' › '),
        message: head(
          spec.tests
            .flatMap(({ results }) => results)
            .flatMap(({ errors }) => errors ?? [])
            .map(({ message }) => message)
            .join('\n'),
        ),
      })),
  ];
  return [
    ...(json.suites ?? []).flatMap((suite) => inSuite(suite, [suite.title])),
    ...(json.errors ?? []).map(({ message }) => ({
      name: 'outside of a test',
      message: head(message),
    })),
  ];
}

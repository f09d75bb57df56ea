// What vitest's and pytest's reports say, as `{ passed, failed, skipped }`; null where a report is missing or not whole.

/** Of vitest's JSON. A file that could not be collected has no tests of its own, and counts as one that failed. */
export function countVitest(json) {
  const report = parse(json);
  if (!Array.isArray(report?.testResults)) return null;
  const uncollected = report.testResults.filter(
    ({ status, assertionResults }) => status === "failed" && !assertionResults.some((test) => test.status === "failed"),
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + uncollected.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

/** Of pytest's JUnit XML. */
export function countPytest(xml) {
  if (!xml?.trimEnd().endsWith("</testsuites>")) return null;
  const suites = xml.match(/<testsuite .*?>/g) ?? [];
  const sum = (name) => suites.reduce((total, suite) => total + Number(suite.match(` ${name}="(\\d+)"`)?.[1] ?? 0), 0);
  const failed = sum("failures") + sum("errors");
  const skipped = sum("skipped");
  return { passed: Math.max(0, sum("tests") - failed - skipped), failed, skipped };
}

/** A runner that crashed, said no for a reason it does not count, or found no test at all counts as one failure. */
export function judge(counts, exitCode) {
  const { passed, failed, skipped } = counts ?? { passed: 0, failed: 0, skipped: 0 };
  const isSound = counts !== null && exitCode === 0 && passed + failed + skipped > 0;
  return { passed, failed: isSound ? failed : Math.max(1, failed), skipped };
}

/** The last line of `npm test`. */
export function summary(results) {
  const sum = (name) => results.reduce((total, result) => total + result[name], 0);
  const skipped = sum("skipped") > 0 ? `, ${sum("skipped")} skipped` : "";
  return `${sum("passed")} passed, ${sum("failed")} failed${skipped}`;
}

function parse(json) {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

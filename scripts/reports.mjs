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

/** Of vitest's JSON: what failed, as `{ name, message }`, a file that could not be collected by its path. */
export function failuresOfVitest(json) {
  const files = parse(json)?.testResults ?? [];
  return files
    .filter(({ status }) => status === "failed")
    .flatMap(({ name, message, assertionResults }) => {
      const tests = assertionResults.filter(({ status }) => status === "failed");
      if (tests.length === 0) return [{ name, message }];
      return tests.map(({ fullName, failureMessages }) => ({
        name: `${name} > ${fullName}`,
        message: failureMessages.join("\n"),
      }));
    });
}

/** Of pytest's JUnit XML: what failed or had an error, as `{ name, message }`. */
export function failuresOfPytest(xml) {
  const cases = xml?.match(/<testcase [^>]*[^>/]>.*?<\/testcase>/gs) ?? [];
  return cases.flatMap((text) => {
    const failure = text.match(/<(?:failure|error)\b[^>]*>(.*?)<\/(?:failure|error)>/s);
    if (!failure) return [];
    const attribute = (name) => unescaped(text.match(` ${name}="([^"]*)"`)?.[1] ?? "");
    return [{ name: `${attribute("classname")}::${attribute("name")}`, message: unescaped(failure[1]) }];
  });
}

/** Those, or where none is told of what counts as failed, that the runner did. */
export function allFailures(failures, { judged, exitCode, runner }) {
  if (judged.failed === 0 || failures.length > 0) return failures;
  const how = exitCode === null ? "by a signal, or was not started" : `with exit code ${exitCode}`;
  return [{ name: runner, message: `It ended ${how}, and names no test that failed: see what it printed above.` }];
}

/** What failed, once more at the end of a long log, each with the first and the last lines of what it says. */
export function retold(failures) {
  return failures.map(({ name, message }) => `FAILED ${name}\n${shortened(message).join("\n")}\n`).join("\n");
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

const MOST_LINES = 24;

function shortened(message) {
  const lines = message
    .trim()
    .split("\n")
    .filter((line) => !line.includes("/node_modules/"));
  const left = lines.length - MOST_LINES;
  const half = MOST_LINES / 2;
  return left <= 0 ? lines : [...lines.slice(0, half), `… ${left} lines …`, ...lines.slice(-half)];
}

const ENTITIES = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&", "#10": "\n" };

const unescaped = (text) => text.replace(/&(lt|gt|quot|apos|amp|#10);/g, (_whole, name) => ENTITIES[name]);

function parse(json) {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

import { describe, expect, test } from "vitest";
import {
  allFailures,
  countPytest,
  countVitest,
  failuresOfPytest,
  failuresOfVitest,
  judge,
  retold,
  summary,
} from "../../scripts/reports.mjs";

const vitest = (report: object) =>
  JSON.stringify({
    ...{ numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [] },
    ...report,
  });

const pytest = (...suites: string[]) =>
  `<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests">${suites
    .map((counts) => `<testsuite name="pytest" ${counts} time="0.1"><testcase name="a" /></testsuite>`)
    .join("")}</testsuites>`;

describe("countVitest", () => {
  test("adds up what the report says", () => {
    const report = { numPassedTests: 5, numFailedTests: 2, numPendingTests: 1, numTodoTests: 3 };
    expect(countVitest(vitest(report))).toEqual({ passed: 5, failed: 2, skipped: 4 });
  });

  test("a file that could not be collected counts as a failure, one with failed tests not once more", () => {
    const testResults = [
      { status: "failed", assertionResults: [] },
      { status: "failed", assertionResults: [{ status: "passed" }, { status: "failed" }] },
      { status: "passed", assertionResults: [{ status: "passed" }] },
    ];
    const report = { numPassedTests: 2, numFailedTests: 1, testResults };
    expect(countVitest(vitest(report))).toEqual({ passed: 2, failed: 2, skipped: 0 });
  });

  test.each([null, "", "{", "{}", "null"])("a report that is missing or not whole: %j", (json) => {
    expect(countVitest(json)).toBeNull();
  });
});

describe("countPytest", () => {
  test("adds up the suites; errors count as failures", () => {
    const xml = pytest(
      'errors="1" failures="2" skipped="3" tests="10"',
      'errors="0" failures="0" skipped="0" tests="4"',
    );
    expect(countPytest(xml)).toEqual({ passed: 8, failed: 3, skipped: 3 });
  });

  test.each([null, "", "<testsuites>", pytest('tests="3"').slice(0, -5)])(
    "a report that is missing or not whole: %j",
    (xml) => {
      expect(countPytest(xml)).toBeNull();
    },
  );
});

describe("what failed", () => {
  test("of vitest: each failed test by file and name, a file that could not be collected by its path", () => {
    const testResults = [
      { name: "a.test.ts", status: "failed", message: "no such module", assertionResults: [] },
      {
        name: "b.test.ts",
        status: "failed",
        message: "",
        assertionResults: [
          { status: "passed", fullName: "x", failureMessages: [] },
          { status: "failed", fullName: "y of z", failureMessages: ["expected 1 to be 2"] },
        ],
      },
      { name: "c.test.ts", status: "passed", assertionResults: [{ status: "passed", fullName: "x" }] },
    ];
    expect(failuresOfVitest(vitest({ testResults }))).toEqual([
      { name: "a.test.ts", message: "no such module" },
      { name: "b.test.ts > y of z", message: "expected 1 to be 2" },
    ]);
    expect(failuresOfVitest("{")).toEqual([]);
  });

  test("of pytest: failures and errors, as they were written", () => {
    // As pytest 9 wrote them, shortened.
    const xml =
      '<testsuites><testsuite errors="1" failures="1"><testcase classname="test.python.test_a" name="test_one" time="0.1" />' +
      '<testcase classname="test.python.test_a" name="test_two[a &amp; b]" time="0.1"><failure message="assert 1 &gt; 2">' +
      "def test_two():&#10;    assert 1 &gt; 2\nE   assert 1 &gt; 2</failure></testcase>" +
      '<testcase classname="test.python.test_b" name="test_three" time="0.1"><skipped message="no GPU">x</skipped></testcase>' +
      '<testcase classname="test.python.test_b" name="test_four" time="0.1"><error message="at set-up">OSError</error></testcase>' +
      "</testsuite></testsuites>";
    expect(failuresOfPytest(xml)).toEqual([
      {
        name: "test.python.test_a::test_two[a & b]",
        message: "def test_two():\n    assert 1 > 2\nE   assert 1 > 2",
      },
      { name: "test.python.test_b::test_four", message: "OSError" },
    ]);
    expect(failuresOfPytest(null)).toEqual([]);
  });

  test("of a runner that names none, and counts as one: the runner", () => {
    const judged = { passed: 3, failed: 1, skipped: 0 };
    const of = { judged, exitCode: 1, runner: "vitest run" };
    expect(allFailures([], of)).toMatchObject([
      { name: "vitest run", message: expect.stringContaining("exit code 1") },
    ]);
    expect(allFailures([], { ...of, exitCode: null })).toMatchObject([{ message: expect.stringContaining("signal") }]);
    const told = [{ name: "a", message: "b" }];
    expect(allFailures(told, of)).toEqual(told);
    expect(allFailures([], { ...of, judged: { ...judged, failed: 0 } })).toEqual([]);
  });

  test("is told again with the first and the last lines of what it says", () => {
    const lines = Array.from({ length: 30 }, (_, line) => `line ${line + 1}`);
    const told = retold([
      { name: "a", message: "short" },
      { name: "b", message: lines.join("\n") },
    ]);
    expect(told).toMatch(/^FAILED a\nshort\n\nFAILED b\nline 1\n/);
    expect(told).toContain("line 12\n… 6 lines …\nline 19\n");
    expect(told).toMatch(/line 30\n$/);
    expect(retold([])).toBe("");
  });
});

describe("judge", () => {
  const fine = { passed: 3, failed: 0, skipped: 1 };

  test("takes sound counts as they are", () => {
    expect(judge(fine, 0)).toEqual(fine);
    expect(judge({ ...fine, failed: 2 }, 1)).toEqual({ ...fine, failed: 2 });
  });

  test.each<[string, Parameters<typeof judge>[0], number | null]>([
    ["no report", null, 0],
    ["a runner that says no though no test failed", fine, 1],
    ["a runner that was killed", fine, null],
    ["no test at all", { passed: 0, failed: 0, skipped: 0 }, 0],
  ])("counts as one failure: %s", (_title, counts, exitCode) => {
    expect(judge(counts, exitCode).failed).toBe(1);
  });
});

describe("summary", () => {
  test("is the sum, and names what was skipped only where there is some", () => {
    const all = { passed: 3, failed: 0, skipped: 0 };
    expect(summary([all, { passed: 4, failed: 1, skipped: 0 }])).toBe("7 passed, 1 failed");
    expect(summary([all, { passed: 0, failed: 0, skipped: 2 }])).toBe("3 passed, 0 failed, 2 skipped");
  });
});

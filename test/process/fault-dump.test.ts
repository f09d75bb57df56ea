import { expect, test } from "vitest";
import { endedWith, whereItWas } from "../../src/process/fault-dump.js";

const PYTHON = "/usr/lib/python3.11";
const BOTTOM = [
  '  File "/ibatch/py_backend/host.py", line 55 in _handle',
  '  File "/ibatch/py_backend/__main__.py", line 199 in <module>',
  '  File "<frozen runpy>", line 88 in _run_code',
];
const IMPORTED = [
  '  File "<frozen importlib._bootstrap>", line 241 in _call_with_frames_removed',
  '  File "<frozen importlib._bootstrap_external>", line 940 in exec_module',
  '  File "/ibatch/py_backend/references/own_code.py", line 185 in exec_module',
];

/** As faulthandler writes it: the innermost call first. */
const dump = (...frames: string[]): string[] => [
  "a warning",
  "Fatal Python error: Segmentation fault",
  "",
  "Thread 0x00007f (most recent call first):",
  '  File "/ibatch/py_backend/server.py", line 9 in poll',
  "",
  "Current thread 0x00007e (most recent call first):",
  ...frames,
  "",
  "Thread 0x00007d (most recent call first):",
  '  File "/t/threads.py", line 9 in <module>',
  '  File "<frozen importlib._bootstrap>", line 241 in _call_with_frames_removed',
  "",
  "Extension modules: numpy._core, torch._C (total: 2)",
];

test("a module that hangs at its import is named, not what imports it", () => {
  const frames = ['  File "/t/team.py", line 3 in <module>', ...IMPORTED, ...BOTTOM];
  expect(whereItWas(dump(...frames))).toBe("/t/team.py, line 3, at its import");
});

test("a call below an import is named with the module", () => {
  const frames = [
    '  File "/t/layers.py", line 7 in build',
    '  File "/t/team.py", line 3 in <module>',
    ...IMPORTED,
    ...BOTTOM,
  ];
  expect(whereItWas(dump(...frames))).toBe("/t/layers.py, line 7, in build, at the import of /t/team.py (line 3)");
});

test("a call outside of imports is named alone, though the program began as a module", () => {
  const frames = ['  File "<frozen os>", line 1 in wait', '  File "/t/team.py", line 30 in forward', ...BOTTOM];
  expect(whereItWas(dump(...frames))).toBe("/t/team.py, line 30, in forward");
});

test("the user's call is named before what it called", () => {
  const frames = [
    `  File "${PYTHON}/ctypes/__init__.py", line 519 in string_at`,
    '  File "/v/site-packages/torch/nn/modules/module.py", line 1775 in _call_impl',
    '  File "/t/team.py", line 30 in forward',
    ...BOTTOM,
  ];
  const called = `which called ${PYTHON}/ctypes/__init__.py, line 519, in string_at`;
  expect(whereItWas(dump(...frames))).toBe(`/t/team.py, line 30, in forward, ${called}`);
});

test("a destructor belongs to no import, whichever one it is called in", () => {
  const frames = [
    '  File "/t/reader.py", line 12 in wait',
    '  File "/t/reader.py", line 9 in __del__',
    '  File "/t/team.py", line 3 in <module>',
    ...IMPORTED,
    ...BOTTOM,
  ];
  expect(whereItWas(dump(...frames))).toBe("/t/reader.py, line 12, in wait");
});

test("where nothing is the user's, the innermost call is named", () => {
  const frames = ['  File "/v/site-packages/torch/_ops.py", line 5 in __call__', ...BOTTOM];
  expect(whereItWas(dump(...frames))).toBe("/v/site-packages/torch/_ops.py, line 5, in __call__");
});

test("undefined where nothing was dumped", () => {
  expect(whereItWas([])).toBeUndefined();
  expect(whereItWas(["a warning", '  File "/t/team.py", line 30 in forward'])).toBeUndefined();
  expect(whereItWas(dump())).toBeUndefined();
});

test("what crashed is told with the place, in place of its stacks", () => {
  const lines = dump('  File "/t/team.py", line 30 in forward', ...BOTTOM);
  expect(endedWith("signal SIGSEGV", lines)).toEqual({
    how: "signal SIGSEGV in /t/team.py, line 30, in forward",
    said: ["a warning", "Fatal Python error: Segmentation fault"],
  });
});

test("what ended otherwise is told with all that it said", () => {
  const lines = ["a warning", "", '  File "/t/team.py", line 30 in forward'];
  expect(endedWith("exit code 3", lines)).toEqual({ how: "exit code 3", said: lines });
});

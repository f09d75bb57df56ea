import { expect, test } from "vitest";
import { whereItHangs } from "../../src/backend/hanging.js";

/** As faulthandler writes it: the innermost call first, the thread under way last. */
const dump = (...frames: string[]): string[] => [
  "a warning",
  "Fatal Python error: Aborted",
  "",
  "Thread 0x00007f (most recent call first):",
  '  File "/py_backend/server.py", line 9 in poll',
  "",
  "Current thread 0x00007e (most recent call first):",
  ...frames,
];

test("a module that hangs at its import is named, not what imports it", () => {
  const frames = [
    '  File "/t/team.py", line 3 in <module>',
    '  File "<frozen importlib._bootstrap>", line 241 in _call_with_frames_removed',
    '  File "/py_backend/__main__.py", line 51 in <module>',
  ];
  expect(whereItHangs(dump(...frames))).toBe("/t/team.py, line 3, at its import");
});

test("a call below an import is named with the module", () => {
  const frames = ['  File "/lib/socket.py", line 7 in recv', '  File "/t/team.py", line 3 in <module>'];
  expect(whereItHangs(dump(...frames))).toBe("/lib/socket.py, line 7, at the import of /t/team.py (line 3)");
});

test("a call outside of imports is named alone; frozen modules are nobody's", () => {
  const frames = ['  File "<frozen os>", line 1 in wait', '  File "/t/team.py", line 30 in forward'];
  expect(whereItHangs(dump(...frames))).toBe("/t/team.py, line 30, in forward");
});

test("undefined where nothing was dumped", () => {
  expect(whereItHangs([])).toBeUndefined();
  expect(whereItHangs(["a warning", '  File "/t/team.py", line 30 in forward'])).toBeUndefined();
  expect(whereItHangs(dump())).toBeUndefined();
});

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { ECHO_MILLISECONDS, stopAtSignals } from "../../src/cli/stop-at-signals.js";
import { packageRoot } from "../../src/package-root.js";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"] as const;

describe("after the first signal", () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate"] }));
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  function started() {
    const exit = vi.spyOn(process, "exit").mockImplementation(() => undefined as never);
    const stopping = new AbortController();
    const stop = stopAtSignals(stopping);
    onTestFinished(stop.release);
    return { exit, stop, stopping };
  }

  test.each(SIGNALS)("%s, all that come as quickly as npm, a shell or a scheduler sends them are one wish", (first) => {
    const { exit, stop, stopping } = started();
    process.emit(first);
    const code = stop.code();
    for (const signal of SIGNALS) process.emit(signal);
    vi.advanceTimersByTime(ECHO_MILLISECONDS - 1);
    for (const signal of SIGNALS) process.emit(signal);
    expect(exit).not.toHaveBeenCalled();
    expect({ stopped: stopping.signal.aborted, code: stop.code() }).toEqual({ stopped: true, code });
  });

  test.each(SIGNALS)("a later %s ends at once, with the first one's code", (second) => {
    const { exit } = started();
    process.emit("SIGINT");
    vi.advanceTimersByTime(ECHO_MILLISECONDS + 1);
    expect(exit).not.toHaveBeenCalled();
    process.emit(second);
    expect(exit).toHaveBeenCalledExactlyOnceWith(130);
  });

  test("echoes do not put off the time from which one more ends at once", () => {
    const { exit } = started();
    process.emit("SIGINT");
    vi.advanceTimersByTime(ECHO_MILLISECONDS - 1);
    process.emit("SIGINT");
    vi.advanceTimersByTime(2);
    process.emit("SIGINT");
    expect(exit).toHaveBeenCalledExactlyOnceWith(130);
  });

  test("a command that is over waits for no echo", () => {
    const { stop } = started();
    process.emit("SIGINT");
    stop.release();
    expect(vi.getTimerCount()).toBe(0);
  });
});

test.skipIf(process.platform === "win32")(
  "an echo that comes while the process is busy is one, however long that takes",
  () => {
    const module = pathToFileURL(join(packageRoot, "dist/cli/stop-at-signals.js")).href;
    const program = `
    import { stopAtSignals } from ${JSON.stringify(module)};
    const stopping = new AbortController();
    const later = () => process.kill(process.pid, "SIGTERM");
    stopping.signal.addEventListener("abort", () => {
      process.kill(process.pid, "SIGTERM");
      const busyUntil = performance.now() + 20;
      while (performance.now() < busyUntil);
      setTimeout(() => setImmediate(() => setImmediate(() => process.stdout.write("stops in order", later))), 2);
    });
    stopAtSignals(stopping, 1);
    setInterval(() => {}, 1000);
    process.kill(process.pid, "SIGINT");
  `;
    const { status, stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      encoding: "utf8",
    });
    expect({ status, stdout }).toEqual({ status: 130, stdout: "stops in order" });
  },
);

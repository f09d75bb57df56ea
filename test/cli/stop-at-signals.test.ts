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
    const stop = stopAtSignals();
    onTestFinished(stop.release);
    return { exit, stop };
  }

  test.each(SIGNALS)("%s, all that come as quickly as npm, a shell or a scheduler sends them are one wish", (first) => {
    const { exit, stop } = started();
    process.emit(first);
    const code = stop.code();
    for (const signal of SIGNALS) process.emit(signal);
    vi.advanceTimersByTime(ECHO_MILLISECONDS - 1);
    for (const signal of SIGNALS) process.emit(signal);
    expect(exit).not.toHaveBeenCalled();
    expect({ stopped: stop.signal.aborted, code: stop.code() }).toEqual({ stopped: true, code });
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

describe.skipIf(process.platform === "win32")(
  "a command that SIGUSR1 reaches early ends with 75 and does nothing",
  () => {
    const command = join(packageRoot, "dist/cli/main.js");
    const run = (before: string, env: Record<string, string> = {}) => {
      const preloaded = `data:text/javascript,${encodeURIComponent(before)}`;
      return spawnSync(process.execPath, ["--import", preloaded, command, "list", "batching"], {
        encoding: "utf8",
        env: { ...process.env, ...env },
      });
    };
    const INTERRUPT = `process.kill(process.pid, "SIGUSR1");`;
    const UNTIL_OPEN = "while (inspector.url() === undefined);";
    const INSPECTOR = `import inspector from "node:inspector";`;

    test("while it is being loaded", () => {
      const once = `process.on("newListener", function send(name) {
      if (name !== "SIGUSR1") return;
      process.off("newListener", send);
      queueMicrotask(() => ${INTERRUPT.slice(0, -1)});
    });`;
      expect(run(once)).toMatchObject({ status: 75, stdout: "", stderr: "ibatch: interrupted\n" });
    });

    test("before it listens, when Node takes it for its debugger's, which is closed", () => {
      const closed = `process.on("exit", () => process.stderr.write(String(inspector.url())));`;
      const { status, stdout, stderr } = run(`${INSPECTOR}${INTERRUPT}${UNTIL_OPEN}${closed}`);
      expect({ status, stdout }).toEqual({ status: 75, stdout: "" });
      expect(stderr).toMatch(/^Debugger listening on .*\n(.*\n)*ibatch: interrupted\nundefined$/);
    });

    test("but for a debugger that NODE_OPTIONS loads, as an editor does", () => {
      const { status, stdout } = run(`${INSPECTOR}inspector.open(0);`, { NODE_OPTIONS: "--require node:path" });
      expect(status).toBe(0);
      expect(stdout).toMatch(/^batching\n/);
    });
  },
);

test.skipIf(process.platform === "win32")(
  "an echo that comes while the process is busy is one, however long that takes",
  () => {
    const module = pathToFileURL(join(packageRoot, "dist/cli/stop-at-signals.js")).href;
    const program = `
    import { stopAtSignals } from ${JSON.stringify(module)};
    const later = () => process.kill(process.pid, "SIGTERM");
    const stop = stopAtSignals(1);
    stop.signal.addEventListener("abort", () => {
      process.kill(process.pid, "SIGTERM");
      const busyUntil = performance.now() + 20;
      while (performance.now() < busyUntil);
      setTimeout(() => setImmediate(() => setImmediate(() => process.stdout.write("stops in order", later))), 2);
    });
    setInterval(() => {}, 1000);
    process.kill(process.pid, "SIGINT");
  `;
    const { status, stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      encoding: "utf8",
    });
    expect({ status, stdout }).toEqual({ status: 130, stdout: "stops in order" });
  },
);

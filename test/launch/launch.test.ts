// What a program can do: an experiment from a value or a file, on a backend that only pretends.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { experimentHash, resolveConfig } from "../../src/config/config.js";
import { ConfigSource } from "../../src/config/config-source.js";
import { OrderSources } from "../../src/config/order-sources.js";
import { Interrupted } from "../../src/errors.js";
import { runExperiment } from "../../src/launch/run-experiment.js";
import { findingsDocument } from "../../src/record/findings-document.js";
import { summaryDocument } from "../../src/record/summary-document.js";
import { readResults } from "../../src/results/recorded-results.js";
import { FakeBackend } from "../experiment/fake-backend.js";
import { CONFIG, temporaryDirectory } from "../experiment/scene.js";
import { BACKWARDS, orderModule } from "../order-files/own-order.js";
import { isPythonMissing } from "../warm-python/missing.js";

const opened = vi.hoisted(() => ({ openBackend: vi.fn() }));
vi.mock("../../src/backend/backend.js", () => opened);
afterEach(() => {
  vi.resetAllMocks();
  vi.unstubAllEnvs();
});

function pretend() {
  const client = new FakeBackend();
  const stop = vi.fn(async () => {});
  opened.openBackend.mockImplementation(async () => ({ client, stop }));
  return { client, stop };
}

/** CONFIG as a program would hold it. */
const value = {
  name: "small",
  dataset: "digits",
  model: "mnist-cnn",
  optimizer: "sgd",
  schedule: { name: "constant", learningRate: 0.1 },
  batching: { name: "constant", size: 5 },
  evaluation: { trainSample: 4 },
  backend: { chunkBatches: 2 },
  epochs: 3,
  seeds: 2,
  arms: { frozen: { order: "frozen" }, shuffled: { order: "shuffled" } },
};

/** Up to what is measured with a clock. */
function withoutSeconds(table: string): string {
  expect(table).toContain("\nCost to reach");
  return table.slice(0, table.indexOf("\nCost to reach"));
}

describe("runExperiment", () => {
  test("with a value or with a file that says the same: the same summary, the table of it, all on record", async () => {
    const { stop } = pretend();
    const directory = temporaryDirectory();
    const path = join(directory, "small.yaml");
    writeFileSync(path, CONFIG);
    const [fromFile, fromValue] = [join(directory, "a"), join(directory, "b")];
    const first = await runExperiment(path, { out: fromFile });
    const second = await runExperiment(value, { out: fromValue });
    expect(second.summary).toEqual({ ...first.summary, directory: fromValue });
    expect(first.summary.arms.map(({ arm, done }) => [arm, done])).toEqual([
      ["frozen", 2],
      ["shuffled", 2],
    ]);
    expect(withoutSeconds(second.table)).toBe(withoutSeconds(first.table));
    expect(readFileSync(join(fromValue, "table.md"), "utf8")).toBe(second.table);
    expect(second.directory).toBe(fromValue);
    expect(JSON.parse(readFileSync(join(fromValue, "experiment.json"), "utf8"))).toMatchObject({
      command: "runExperiment",
    });
    expect(stop).toHaveBeenCalledTimes(2);
  });

  test("warns of more threads than there are cores, where the backend is ours", async () => {
    const warned = async (threads: number, backend?: string) => {
      pretend();
      const lines: string[] = [];
      await runExperiment(
        { ...value, backend: { threads } },
        { out: join(temporaryDirectory(), "run"), backend, onWarning: (line) => lines.push(line) },
      );
      return lines;
    };
    const cores = availableParallelism();
    expect(await warned(cores)).toEqual([]);
    const more = cores + 1;
    expect(await warned(more)).toEqual([`backend.threads: ${more} threads on ${cores} cores are slower than ${cores}`]);
    expect(await warned(more, "tcp://127.0.0.1:5555")).toEqual([]);
  });

  test("leaves the value as it was", async () => {
    pretend();
    const before = structuredClone(value);
    await runExperiment(value, { out: join(temporaryDirectory(), "run") });
    expect(value).toEqual(before);
  });

  test("finds a user's order from the file's folder", async () => {
    const { client } = pretend();
    const directory = temporaryDirectory();
    const path = join(directory, "small.yaml");
    writeFileSync(join(directory, "mine.mjs"), orderModule(BACKWARDS));
    writeFileSync(path, CONFIG.replace("order: frozen", "order: ./mine.mjs"));
    await runExperiment(path, { out: join(directory, "run") });
    expect(client.sentOf("train")[0].arrays.indices[0]).toBe(23);
  });

  test("tells of a mistake in a value before a backend is started", async () => {
    pretend();
    const onChecked = vi.fn();
    const wrong = { ...value, arms: { frozen: { order: { name: "frozen", sequenc: 1 } } } };
    await expect(runExperiment(wrong, { onChecked })).rejects.toMatchObject({
      kind: "usage",
      message: "config: arms.frozen.order.sequenc: unknown key; did you mean `sequence`?",
    });
    expect(onChecked).not.toHaveBeenCalled();
    expect(opened.openBackend).not.toHaveBeenCalled();
  });

  test("tells its observer of every run, and ends where the signal says; the backend is stopped", async () => {
    const { stop } = pretend();
    const abort = new AbortController();
    const ended: string[] = [];
    const running = runExperiment(value, {
      out: join(temporaryDirectory(), "run"),
      signal: abort.signal,
      observe: () => ({
        runEnded: ({ arm, seed }) => {
          ended.push(`${arm} ${seed}`);
          if (ended.length === 2) abort.abort();
        },
      }),
    });
    await expect(running).rejects.toBeInstanceOf(Interrupted);
    expect(ended).toEqual(["frozen 0", "shuffled 0"]);
    expect(stop).toHaveBeenCalledOnce();
  });

  describe("at its end", () => {
    test.skipIf(isPythonMissing)(
      "has the statistics on record, and the same table from the directory with no Python at all",
      async () => {
        pretend();
        const out = join(temporaryDirectory(), "run");
        const { table, findings, summary } = await runExperiment(value, { out });
        const recorded = JSON.parse(readFileSync(join(out, "statistics.json"), "utf8"));
        expect(Object.keys(recorded)).toEqual(["request", "answer", "findings", "documentSha256"]);
        expect(recorded.findings).toEqual(JSON.parse(JSON.stringify(findings)));
        expect(findingsDocument.parse(recorded.findings)).toEqual(recorded.findings);
        const summarised = JSON.parse(readFileSync(join(out, "summary.json"), "utf8"));
        expect(summaryDocument.parse(summarised)).toEqual(JSON.parse(JSON.stringify(summary)));
        expect(findings.comparisons.map(({ name, accuracy }) => [name, accuracy.n])).toEqual([
          ["frozen − shuffled", 2],
        ]);
        const read = await readResults(out, { python: "/nowhere/python", signal: new AbortController().signal });
        expect(read).toEqual({ summary, findings, table, damaged: [] });
      },
    );

    test.skipIf(isPythonMissing)("has the page, with what the statistics say", async () => {
      pretend();
      const out = join(temporaryDirectory(), "run");
      const { findings } = await runExperiment(value, { out });
      const page = readFileSync(join(out, "report.html"), "utf8");
      expect(page).toMatch(/^<!doctype html>/);
      expect(page).toContain(findings.comparisons[0].sentence.split(".")[0]);
    });

    test("a Python without scipy, as beside a backend elsewhere, costs the statistics alone: the table says so", async () => {
      pretend();
      vi.stubEnv("IBATCH_PYTHON", "/nowhere/python");
      const out = join(temporaryDirectory(), "run");
      const { table, findings } = await runExperiment(value, { out, backend: "tcp://127.0.0.1:1" });
      expect(findings.lack).toMatch(/^Python at \/nowhere\/python cannot be started/);
      expect(table).toContain("- No statistics: Python at /nowhere/python cannot be started");
      expect(readdirSync(out)).toEqual(expect.arrayContaining(["report.html", "summary.json", "table.md"]));
      expect(readdirSync(out)).not.toContain("statistics.json");
    });

    test("a page that cannot be made loses nothing: a line in the log, and one for the person", async () => {
      pretend();
      const out = join(temporaryDirectory(), "run");
      mkdirSync(join(out, "report.html"), { recursive: true }); // in the way
      const resolved = resolveConfig(ConfigSource.of(value), OrderSources.builtIn, undefined);
      writeFileSync(join(out, "experiment.json"), JSON.stringify({ hash: experimentHash(resolved) }));
      const onWarning = vi.fn();
      const { table } = await runExperiment(value, { out, onWarning });
      expect(readFileSync(join(out, "table.md"), "utf8")).toBe(table);
      expect(onWarning.mock.calls).toEqual([[expect.stringMatching(/^report\.html could not be made: /)]]);
      expect(readFileSync(join(out, "log.txt"), "utf8")).toContain("report.html could not be made: ");
    });
  });
});

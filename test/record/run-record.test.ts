import { createHash } from "node:crypto";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { EpochMetrics } from "../../src/record/epoch-metrics.js";
import { metricsOf, readMetrics, timingsOf } from "../../src/record/read-run.js";
import type { RunDocument } from "../../src/record/run-document.js";
import { RunRecord } from "../../src/record/run-record.js";
import { RunFiles } from "../../src/record/verified-files.js";
import { mistake } from "../mistake.js";

let directory = "";
beforeEach(() => {
  const base = mkdtempSync(join(tmpdir(), "ibatch-run-"));
  directory = join(base, "arm", "seed-0");
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
});

const full = { orders: "full", signals: "full" } as const;
const document: RunDocument = {
  arm: "arm",
  seed: 0,
  configHash: "ab",
  config: { epochs: 2, order: {} },
  ibatchVersion: "0.1.0",
  state: "running",
};
const surroundings = {
  device: "cpu",
  deviceName: "a processor",
  threads: 2,
  versions: { torch: "2" },
  platform: "linux",
  dataset: { name: "digits", options: {} },
  dataSha256: "d",
  testCount: 3,
  initialWeightsSha256: "e",
  parameterCount: 1,
  settings: { precision: "float32" },
};
const metrics: EpochMetrics = {
  epoch: 0,
  step: 4,
  batches: 4,
  samples: 11,
  scored: 0,
  batchSize: { smallest: 1, largest: 5 },
  learningRate: { first: 0.1, last: 0.05 },
  train: { loss: 0.25, accuracy: 0.5, count: 11 },
  test: { loss: "NaN", accuracy: 0, count: 3 },
  order: { distinct: 10, mostDrawn: 1, effectiveDataSize: 10 },
  orderSha256: "aa",
  planSha256: "bb",
};
const plan = {
  indices: Uint32Array.of(2, 0, 1),
  offsets: Uint32Array.of(0, 2, 3),
  learningRates: Float64Array.of(0.1, 0.05),
};

const started = (options: ConstructorParameters<typeof RunRecord>[1] = full) => {
  const record = new RunRecord(directory, options);
  record.start(document);
  return record;
};
const file = (path: string) => readFileSync(join(directory, path));

describe("run.json", () => {
  test("of a run that never was is undefined, and asking leaves nothing behind", () => {
    expect(new RunRecord(directory, full).read()).toBeUndefined();
    expect(existsSync(directory)).toBe(false);
  });

  test("is read back as it was written", () => {
    const record = started();
    expect(record.read()).toEqual(document);
    const ended: RunDocument = { ...document, state: "diverged", divergedAtStep: 3, surroundings };
    record.write(ended);
    expect(new RunRecord(directory, full).read()).toEqual({ ...ended, checksums: "SHA256SUMS" });
  });

  test.each(["", "{", "{}", '{"arm":"a","seed":0,"configHash":"x","state":"finished"}'])(
    "that is damaged is refused: %j",
    (text) => {
      const record = started();
      writeFileSync(join(directory, "run.json"), text);
      const message = mistake(() => record.read());
      expect(message).toContain(`${directory}/run.json is damaged (`);
      expect(message).toMatch(`): remove ${directory}, and the same command does this run again`);
    },
  );
});

describe("without run.json", () => {
  test.each<[string, () => void]>([
    ["an empty directory", () => {}],
    ["its first word half written", () => writeFileSync(join(directory, "run.json.partial"), '{"arm"')],
    [
      "empty files, as a run began once",
      () => {
        for (const part of ["orders", "signals"]) mkdirSync(join(directory, part));
        for (const name of ["metrics.jsonl", "timings.jsonl"]) writeFileSync(join(directory, name), "");
      },
    ],
    ["a file of the user's", () => writeFileSync(join(directory, "notes.txt"), "mine")],
  ])("a run has only just begun: %s", (_, leave) => {
    mkdirSync(directory, { recursive: true });
    leave();
    expect(new RunRecord(directory, full).read()).toBeUndefined();
  });

  test("a run that recorded something is damaged", () => {
    const record = started();
    record.writePlan(0, plan);
    rmSync(join(directory, "run.json"));
    expect(mistake(() => record.read())).toBe(
      `${directory}/run.json is missing: remove ${directory}, and the same command does this run again`,
    );
  });
});

describe("start", () => {
  test("leaves nothing of an earlier try", () => {
    const record = started();
    record.writePlan(7, plan);
    record.appendMetrics(metrics);
    record.start(document);
    expect(readMetrics(directory)).toEqual([]);
    expect(readdirSync(join(directory, "orders"))).toEqual([]);
  });

  test("keeps what of the user's lies there", () => {
    const record = started();
    record.writePlan(0, plan);
    for (const name of ["notes.txt", "orders/mine.txt"]) writeFileSync(join(directory, name), "mine");
    record.start(document);
    expect(readdirSync(directory, { recursive: true }).sort()).toEqual([
      "metrics.jsonl",
      "notes.txt",
      "orders",
      "orders/mine.txt",
      "run.json",
      "signals",
      "timings.jsonl",
    ]);
  });

  test("goes through a link, and leaves the link", () => {
    const record = started();
    const elsewhere = join(directory, "..", "elsewhere");
    renameSync(directory, elsewhere);
    symlinkSync(elsewhere, directory);
    record.start({ ...document, startedAt: "now" });
    expect(lstatSync(directory).isSymbolicLink()).toBe(true);
    expect(JSON.parse(readFileSync(join(elsewhere, "run.json"), "utf8"))).toMatchObject({ startedAt: "now" });
  });

  describe("never replaces", () => {
    test.each(["done", "diverged"] as const)("a run that is %s", (state) => {
      const record = started();
      record.writePlan(0, plan);
      record.write({ ...document, state });
      expect(mistake(() => record.start(document))).toBe(
        `${directory} holds a run that is ${state}: remove it to do that run again`,
      );
      expect(file("orders/0000.u32")).toHaveLength(12);
    });

    test.each(["{", "[]", ""])("a run whose run.json is damaged: %j", (text) => {
      const record = started();
      record.appendMetrics(metrics);
      writeFileSync(join(directory, "run.json"), text);
      expect(mistake(() => record.start(document))).toMatch(`${directory}/run.json is damaged (`);
      expect(readMetrics(directory)).toEqual([metrics]);
    });

    test("a run whose run.json is lost", () => {
      const record = started();
      record.appendMetrics(metrics);
      rmSync(join(directory, "run.json"));
      expect(mistake(() => record.start(document))).toMatch(`${directory}/run.json is missing: `);
      expect(readMetrics(directory)).toEqual([metrics]);
    });

    test("a file of the user's in its place", () => {
      mkdirSync(join(directory, ".."), { recursive: true });
      writeFileSync(directory, "mine");
      expect(mistake(() => new RunRecord(directory, full).start(document))).toBe(
        `${directory} is a file, where a directory belongs: move it, or name another --out`,
      );
      expect(readFileSync(directory, "utf8")).toBe("mine");
    });

    test.each([".", ".."])("a link that leads nowhere: %s", (above) => {
      const path = join(directory, above);
      mkdirSync(join(path, ".."), { recursive: true });
      symlinkSync("/nowhere/at/all", path);
      expect(mistake(() => new RunRecord(directory, full).start(document))).toBe(
        `${path} is a link to /nowhere/at/all, which is not there: bring that back, or remove it, or name another --out`,
      );
      expect(lstatSync(path).isSymbolicLink()).toBe(true);
    });
  });

  test("touches nothing beside the run's own directory", () => {
    mkdirSync(join(directory, "..", "seed-1"), { recursive: true });
    writeFileSync(join(directory, "..", "seed-1", "run.json"), "mine");
    started();
    expect(readFileSync(join(directory, "..", "seed-1", "run.json"), "utf8")).toBe("mine");
  });
});

describe("an attempt that failed before it began", () => {
  const failed: RunDocument = { ...document, state: "failed", error: "no room", startedAt: "now" };

  test("is on record by itself", () => {
    new RunRecord(directory, full).writeEndOutside(failed);
    expect(new RunRecord(directory, full).read()).toEqual(failed);
  });

  test("takes nothing away from what an earlier one recorded", () => {
    const record = started();
    record.writePlan(0, plan);
    record.appendMetrics(metrics);
    record.write({ ...document, state: "interrupted", surroundings });
    new RunRecord(directory, full).writeEndOutside(failed);
    expect(record.read()).toEqual({ ...document, surroundings, state: "failed", error: "no room" });
    expect(readMetrics(directory)).toEqual([metrics]);
    expect(file("orders/0000.u32")).toHaveLength(12);
  });
});

describe("metrics.jsonl", () => {
  test("is a line of JSON an epoch, read back as written", () => {
    const record = started();
    record.appendMetrics(metrics);
    record.appendMetrics({ ...metrics, epoch: 1, step: 8 });
    expect(readMetrics(directory)).toEqual([metrics, { ...metrics, epoch: 1, step: 8 }]);
    const lines = file("metrics.jsonl").toString().split("\n");
    expect(lines).toHaveLength(3);
    expect(lines[0]).toBe(JSON.stringify(metrics));
  });

  test("is known to who appended all of it, and read where another began it", () => {
    const record = started();
    const second = { ...metrics, epoch: 1, step: 8 };
    record.appendMetrics(metrics);
    const goingOn = new RunRecord(directory, full);
    goingOn.appendMetrics(second);
    expect(goingOn.metrics).toEqual([metrics, second]);
    record.start(document);
    for (const line of [{ ...metrics, samples: 7 }, second, metrics]) record.appendMetrics(line);
    expect(record.metrics).toEqual([metrics]); // gone back to
  });

  test("that is missing is refused", () => {
    started();
    rmSync(join(directory, "metrics.jsonl"));
    expect(mistake(() => readMetrics(directory))).toBe(
      `${directory}/metrics.jsonl is missing: remove ${directory}, and the same command does this run again`,
    );
  });

  test("that is cut off is refused", () => {
    const record = started();
    record.appendMetrics(metrics);
    writeFileSync(join(directory, "metrics.jsonl"), file("metrics.jsonl").subarray(0, -9));
    expect(mistake(() => readMetrics(directory))).toBe(
      `${directory}/metrics.jsonl is damaged (its last line is cut off): remove ${directory}, and the same command does this run again`,
    );
  });
});

test("of a run that is under way, the whole lines of metrics.jsonl are read", () => {
  const record = new RunRecord(directory, full);
  expect(metricsOf(new RunFiles(directory), false)).toEqual([]);
  record.start(document);
  expect(metricsOf(new RunFiles(directory), false)).toEqual([]);
  record.appendMetrics(metrics);
  const path = join(directory, "metrics.jsonl");
  writeFileSync(path, `${readFileSync(path, "utf8")}{"epoch":1,"st`);
  expect(metricsOf(new RunFiles(directory), false)).toEqual([metrics]);
});

test("an attempt is on record from `start` on, not because of an earlier one", () => {
  started();
  const record = new RunRecord(directory, full);
  expect(record.started).toBe(false);
  record.start(document);
  expect(record.started).toBe(true);
});

describe("a full disk is told with the file: that of", () => {
  const refused = (name: string, act: (record: RunRecord) => void) => {
    const record = started();
    rmSync(join(directory, name), { force: true });
    symlinkSync("/dev/full", join(directory, name));
    return mistake(() => act(record), "surroundings");
  };
  const told = (name: string) => `the disk is full: ${directory}/${name} cannot be written; mend that and `;

  test("a line of metrics", () => {
    expect(refused("metrics.jsonl", (record) => record.appendMetrics(metrics))).toContain(told("metrics.jsonl"));
  });

  test("run.json, which stays as it was", () => {
    const message = refused("run.json.partial", (record) => record.write({ ...document, state: "done" }));
    expect(message).toContain(told("run.json"));
    expect(new RunRecord(directory, full).read()).toEqual(document);
  });

  test("a plan", () => {
    const message = refused("orders/0000.u32.partial", (record) => record.writePlan(0, plan));
    expect(message).toContain(told("orders/0000.u32"));
  });
});

describe("a plan", () => {
  const sha256 = (...parts: Buffer[]) => createHash("sha256").update(Buffer.concat(parts)).digest("hex");
  const u32 = (...values: number[]) => {
    const bytes = Buffer.alloc(4 * values.length);
    for (const [at, value] of values.entries()) bytes.writeUInt32LE(value, 4 * at);
    return bytes;
  };
  const f64 = (...values: number[]) => {
    const bytes = Buffer.alloc(8 * values.length);
    for (const [at, value] of values.entries()) bytes.writeDoubleLE(value, 8 * at);
    return bytes;
  };
  const f32 = (...values: number[]) => {
    const bytes = Buffer.alloc(4 * values.length);
    for (const [at, value] of values.entries()) bytes.writeFloatLE(value, 4 * at);
    return bytes;
  };

  test("is the raw little-endian indices, and beside them offsets, rates and both hashes", () => {
    const hashes = started().writePlan(3, plan);
    expect(hashes).toEqual({
      orderSha256: sha256(u32(2, 0, 1)),
      planSha256: sha256(u32(2, 0, 1), u32(0, 2, 3), f64(0.1, 0.05)),
    });
    expect(file("orders/0003.u32")).toEqual(u32(2, 0, 1));
    expect(JSON.parse(file("orders/0003.json").toString())).toEqual({
      epoch: 3,
      ...hashes,
      weighted: false,
      offsets: [0, 2, 3],
      learningRates: [0.1, 0.05],
    });
  });

  test("with weights: they are part of the plan's hash, not of the order's", () => {
    const plain = started().writePlan(0, plan);
    const weighted = started().writePlan(0, { ...plan, weights: Float32Array.of(1, 2, 3) });
    expect(weighted).toEqual({
      orderSha256: plain.orderSha256,
      planSha256: sha256(u32(2, 0, 1), u32(0, 2, 3), f64(0.1, 0.05), f32(1, 2, 3)),
    });
    expect(file("orders/0000.weights.f32")).toEqual(f32(1, 2, 3));
    expect(JSON.parse(file("orders/0000.json").toString())).toMatchObject({ weighted: true });
  });

  test("orders: hash keeps the hash, and no indices", () => {
    const hashes = started({ ...full, orders: "hash" }).writePlan(0, plan);
    expect(readdirSync(join(directory, "orders"))).toEqual(["0000.json"]);
    expect(JSON.parse(file("orders/0000.json").toString())).toMatchObject(hashes);
  });
});

describe("a signal", () => {
  test("is one raw float32 a sample, NaN included", () => {
    started().writeSignal("loss", 12, Float32Array.of(0.5, Number.NaN));
    const bytes = file("signals/loss/0012.f32");
    expect([bytes.readFloatLE(0), bytes.readFloatLE(4), bytes.length]).toEqual([0.5, Number.NaN, 8]);
  });

  test("of a view holds the view alone", () => {
    started().writeSignal("loss", 0, Float32Array.of(1, 2, 3).subarray(1, 2));
    expect(file("signals/loss/0000.f32").readFloatLE(0)).toBe(2);
    expect(file("signals/loss/0000.f32")).toHaveLength(4);
  });

  const kept = (name: string) => readdirSync(join(directory, "signals", name)).sort();

  test("signals: last keeps those of the epoch before until the new epoch's line is on disk", () => {
    const record = started({ ...full, signals: "last" });
    for (const epoch of [0, 1, 2]) {
      record.writeSignal("loss", epoch, Float32Array.of(epoch));
      record.writePredictions(epoch, Uint32Array.of(epoch));
      const before = epoch === 0 ? [] : [`000${epoch - 1}.f32`];
      expect(kept("loss")).toEqual([...before, `000${epoch}.f32`]);
      record.appendMetrics({ ...metrics, epoch });
      expect(kept("loss")).toEqual([`000${epoch}.f32`]);
      expect(kept("prediction")).toEqual([`000${epoch}.u32`]);
    }
  });

  test("signals: last keeps the last of each kind by itself, also of one that is written every few epochs", () => {
    const record = started({ ...full, signals: "last" });
    for (const epoch of [0, 1, 2, 3]) {
      record.writeSignal("loss", epoch, Float32Array.of(epoch));
      if (epoch % 2 === 0) record.writeSignal("scored-loss", epoch, Float32Array.of(epoch));
      record.appendMetrics({ ...metrics, epoch });
    }
    expect(kept("loss")).toEqual(["0003.f32"]);
    expect(kept("scored-loss")).toEqual(["0002.f32"]);
  });

  test("signals: last of a run that diverged keeps those of that epoch, and no file of the user's is touched", () => {
    const record = started({ ...full, signals: "last" });
    for (const epoch of [9999, 10000]) record.writeSignal("loss", epoch, Float32Array.of(epoch));
    writeFileSync(join(directory, "signals", "loss", "notes.txt"), "mine");
    record.write({ ...document, state: "diverged", divergedAtStep: 3 });
    expect(kept("loss")).toEqual(["10000.f32", "notes.txt"]);
  });
});

describe("timings", () => {
  const line = {
    epoch: 0,
    orderingSeconds: 0.5,
    trainingSeconds: 1,
    scoringSeconds: 0,
    evaluatingSeconds: 0.25,
    wireSeconds: 0.125,
    waitingSeconds: 0.125,
    totalSeconds: 2,
  };

  test("come back as they were written; a line without its end is being written, and is left out", () => {
    const record = new RunRecord(directory, full);
    expect(timingsOf(new RunFiles(directory), false)).toEqual([]);
    record.start(document);
    expect(timingsOf(new RunFiles(directory), true)).toEqual([]);
    record.appendTimings(line);
    record.appendTimings({ ...line, epoch: 1 });
    const path = join(directory, "timings.jsonl");
    writeFileSync(path, `${readFileSync(path, "utf8")}{"epoch":2,"ordering`);
    expect(timingsOf(new RunFiles(directory), false)).toEqual([line, { ...line, epoch: 1 }]);
  });

  test("a damaged line is told with its file and what to do", () => {
    const record = new RunRecord(directory, full);
    record.start(document);
    writeFileSync(join(directory, "timings.jsonl"), '{"epoch":0}\n');
    expect(mistake(() => timingsOf(new RunFiles(directory), true))).toBe(
      `${directory}/timings.jsonl is damaged (line 1: orderingSeconds: Invalid input: expected number, received undefined): remove ${directory}, and the same command does this run again`,
    );
  });
});

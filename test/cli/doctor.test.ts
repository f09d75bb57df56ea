import { afterEach, expect, test, vi } from "vitest";
import type { BackendOptions } from "../../src/backend/backend.js";
import { BackendError, type ErrorCode } from "../../src/backend/errors.js";
import { Interrupted, surroundingsError, usageError } from "../../src/errors.js";
import { FakeBackend, type Pretence } from "../experiment/fake-backend.js";
import { ibatch } from "./run-main.js";

const opened = vi.hoisted(() => ({ openBackend: vi.fn() }));
vi.mock("../../src/backend/backend.js", () => opened);
afterEach(() => vi.resetAllMocks());

/** `ibatch doctor` with a backend whose datasets open so, the others whole; `what` and `verdict` of each finding. */
async function doctor(datasets: Record<string, ErrorCode>, pretence: Pretence = {}) {
  const client = new FakeBackend({
    n: 40,
    before(message, backend) {
      if (message.type !== "open") return pretence.before?.(message, backend);
      const { name } = message.fields.dataset;
      const code = Object.hasOwn(datasets, name) ? datasets[name] : undefined;
      if (code !== undefined) throw new BackendError(code, `${name}: ${code}`);
    },
  });
  const stop = vi.fn(async () => {});
  opened.openBackend.mockResolvedValueOnce({ client, stop });
  const { code, stdout } = await ibatch("doctor", "--json");
  const findings: { what: string; verdict: string; detail: string }[] = JSON.parse(stdout);
  expect(stop).toHaveBeenCalledOnce();
  return { code, findings, data: findings.slice(5).map(({ what, verdict }) => `${what}: ${verdict}`) };
}

test("every dataset is opened, and a step trained on the first one that is there", async () => {
  const { code, data, findings } = await doctor({ cifar10: "data_missing", cifar100: "data_missing" });
  expect(data).toEqual([
    "data digits: ok",
    "a training step on digits: ok",
    "data mnist: ok",
    "data fashion-mnist: ok",
    "data cifar10: absent",
    "data cifar100: absent",
  ]);
  expect(findings[4]).toEqual({
    what: "precision",
    verdict: "ok",
    detail: "float32, bfloat16 (slower than float32 on this CPU)",
  });
  expect(findings.slice(5, 7).map(({ detail }) => detail)).toEqual([
    "40 + 6 images",
    expect.stringMatching(/^32 images through the wire, mean loss 0\.\d{3} \(untrained: about 1\.1\)$/), // log 3
  ]);
  expect(code).toBe(0);
});

test("no dataset has a name that counts: without the first one, the next is trained on", async () => {
  const { code, data } = await doctor({ digits: "data_missing", mnist: "data_damaged" });
  expect(data.slice(0, 4)).toEqual([
    "data digits: absent",
    "data mnist: damaged",
    "data fashion-mnist: ok",
    "a training step on fashion-mnist: ok",
  ]);
  expect(code).toBe(0);
});

test("a dataset's name stands once in its line", async () => {
  const { findings } = await doctor({ cifar10: "data_missing" });
  expect(findings).toContainEqual({ what: "data cifar10", verdict: "absent", detail: "data_missing" });
});

test("with nothing to train on, something is missing", async () => {
  const absent = ["digits", "mnist", "fashion-mnist", "cifar10"].map((name) => [name, "data_missing"] as const);
  const { code, data } = await doctor({ ...Object.fromEntries(absent), cifar100: "data_damaged" });
  expect(data.slice(-2)).toEqual(["data cifar100: damaged", "a training step: missing"]);
  expect(code).toBe(4);
});

test("a dataset that fails otherwise, or a step that does, is something missing", async () => {
  const failing = await doctor({ mnist: "internal" });
  expect(failing.data).toContain("data mnist: missing");
  expect(failing.code).toBe(4);
  const { code, data } = await doctor(
    {},
    {
      before({ type }) {
        if (type === "train") throw new BackendError("out_of_memory", "no room");
      },
    },
  );
  expect(data.slice(0, 2)).toEqual(["data digits: ok", "a training step on digits: missing"]);
  expect(code).toBe(4);
});

test("a backend that cannot start is missing: exit code 4", async () => {
  opened.openBackend.mockRejectedValueOnce(surroundingsError("no torch"));
  const { code, stdout } = await ibatch("doctor");
  expect(stdout).toMatch(/^missing {2}backend: no torch\n$/m);
  expect(code).toBe(4);
});

test("a wrong command line is no finding: exit code 2", async () => {
  opened.openBackend.mockRejectedValueOnce(usageError("backend x computes on cuda:0, cpu was asked for"));
  const { code, stderr } = await ibatch("doctor", "--device", "cpu");
  expect({ code, stderr }).toEqual({ code: 2, stderr: "ibatch: backend x computes on cuda:0, cpu was asked for\n" });
});

test("Ctrl-C while the backend starts is no finding: exit code 130, one line", async () => {
  opened.openBackend.mockImplementationOnce(async ({ signal }: BackendOptions) => {
    process.emit("SIGINT");
    throw signal.aborted ? new Interrupted() : new Error("not told");
  });
  const { code, stdout, stderr } = await ibatch("doctor");
  expect({ code, stderr }).toEqual({ code: 130, stderr: "ibatch: interrupted\n" });
  expect(stdout).not.toContain("backend");
});

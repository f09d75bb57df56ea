import { afterEach, describe, expect, test, vi } from "vitest";
import type { BackendOptions } from "../../src/backend/backend.js";
import { Interrupted, surroundingsError } from "../../src/errors.js";
import { ORDERS } from "../../src/orders/index.js";
import { FakeBackend } from "../experiment/fake-backend.js";
import { ibatch } from "./run-main.js";

const opened = vi.hoisted(() => ({ openBackend: vi.fn() }));
vi.mock("../../src/backend/backend.js", () => opened);
afterEach(() => vi.resetAllMocks());

/** A backend to list from; says whether it was stopped. */
function offerBackend() {
  const stop = vi.fn(async () => {});
  opened.openBackend.mockResolvedValueOnce({ client: new FakeBackend(), stop });
  return stop;
}

describe("list orders", () => {
  test("shows every order, when to choose it, and every option with type, default and help", async () => {
    const { code, stdout, stderr } = await ibatch("list", "orders");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(ORDERS.length).toBeGreaterThanOrEqual(4);
    for (const { name, summary, whenToChoose, options } of ORDERS) {
      expect(stdout).toContain(`  ${name}: ${summary}\n    choose it: ${whenToChoose}\n`);
      for (const [option, schema] of Object.entries(options.shape)) {
        const help = "description" in schema ? String(schema.description) : "";
        expect(help).not.toBe("");
        const found = stdout.split("\n").some((text, at, lines) => {
          const isOption = text.startsWith(`    ${option} (`) && /^ {4}\w+ \(.+, (default .+|needed)\)$/.test(text);
          return isOption && lines[at + 1] === `      ${help}`;
        });
        expect(found, option).toBe(true);
      }
    }
  });

  test("an option reads as: name (type, default), and its help below it", async () => {
    const { stdout } = await ibatch("list", "orders");
    expect(stdout).toContain(
      '    sequence (file | shuffled, default "file")\n      file: as the data comes, whatever the seed; ' +
        "shuffled: one shuffle of each seed, kept in all epochs\n",
    );
  });

  test("starts no backend: orders are ours", async () => {
    await ibatch("list", "schedules");
    expect(opened.openBackend).not.toHaveBeenCalled();
  });
});

test("an option without a default is told as needed", async () => {
  expect((await ibatch("list", "batching")).stdout).toContain("    size (integer, needed)\n      samples in a batch");
  expect((await ibatch("list", "schedules")).stdout).toContain(
    "    milestones (list of number, needed)\n      epochs before",
  );
});

test("models, datasets and optimisers are the backend's to name; it is stopped again", async () => {
  const stop = offerBackend();
  const { stdout } = await ibatch("list", "optimizers");
  expect(stdout).toMatchInlineSnapshot(`
    "optimizers

      sgd: Sgd in one line.
        choose it: In tests.
        momentum (number, default 0)
        weightDecay (number, default 0)
        nesterov (boolean, default false)

      adam: Adam in one line.
        choose it: In tests.
        beta1 (number, default 0.9)
        weightDecay (number, default 0)
    "
  `);
  expect(stop).toHaveBeenCalledOnce();
});

test("without a kind: all of them, in one document with --json", async () => {
  offerBackend();
  const { stdout } = await ibatch("list", "--json");
  const entries = JSON.parse(stdout);
  expect(Object.keys(entries)).toEqual([
    "orders",
    "batching",
    "schedules",
    "losses",
    "models",
    "datasets",
    "optimizers",
  ]);
  expect(entries.models[0]).toEqual({
    name: "mnist-cnn",
    summary: "Mnist-cnn in one line.",
    whenToChoose: "In tests.",
    options: [
      { name: "padding", type: "none | same", default: "none", needed: false, help: "" },
      { name: "dropout", type: "number", default: 0.5, needed: false, help: "" },
    ],
  });
});

test("without a kind, where no backend can be had: what is ours, and then why there is no more", async () => {
  opened.openBackend.mockRejectedValueOnce(surroundingsError("there is no torch"));
  const { code, stdout, stderr } = await ibatch("list");
  expect([code, stderr]).toEqual([4, "ibatch: there is no torch\n"]);
  expect([...stdout.matchAll(/^\w+$/gm)].map(([kind]) => kind)).toEqual(["orders", "batching", "schedules", "losses"]);
  offerBackend();
  const whole = (await ibatch("list")).stdout;
  expect(whole.startsWith(`${stdout}\nmodels\n`)).toBe(true);
});

test.each([
  ["ordrs", 'There is nothing to list under "ordrs". Did you mean "orders"?'],
  ["zzz", 'There is nothing to list under "zzz".'],
])("list %s: exit code 2, with what there is", async (kind, expected) => {
  expect(await ibatch("list", kind)).toEqual({
    code: 2,
    stdout: "",
    stderr: `ibatch: ${expected} Known: orders, batching, schedules, losses, models, datasets, optimizers.\n`,
  });
});

test.each([
  ["list", "models"],
  ["order", "shuffled", "--dataset", "digits"],
])(
  "ibatch %s: the CPU where the backend is ours, whatever it computes on where it runs already; Ctrl-C gets there",
  async (...argv) => {
    const seen: BackendOptions[] = [];
    opened.openBackend.mockImplementation(async (options: BackendOptions) => {
      seen.push(options);
      process.emit("SIGINT");
      throw options.signal.aborted ? new Interrupted() : new Error("not told");
    });
    const said = { code: 130, stdout: "", stderr: "ibatch: interrupted\n" };
    expect(await ibatch(...argv)).toEqual(said);
    expect(await ibatch(...argv, "--backend", "tcp://127.0.0.1:1")).toEqual(said);
    expect(seen.map(({ device, threads }) => [device, threads])).toEqual([
      ["cpu", "auto"],
      ["auto", "auto"],
    ]);
  },
);

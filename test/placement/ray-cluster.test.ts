import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Interrupted } from "../../src/errors.js";
import { type Placing, RayCluster } from "../../src/placement/ray-cluster.js";
import { temporaryDirectory } from "../experiment/scene.js";
import { fakePython } from "../process/fake-python.js";
import { CONNECTED, fakePlacing } from "./fake-placing.js";

const PLACED = '{"type":"placed","id":1,"node":"10.0.0.1","control":"tcp://10.0.0.1:5","key":"theirs"}';
const LOST = (id: number) => `{"type":"lost","id":${id},"why":"its node died"}`;
const RELEASED = '{"type":"released","id":1}';

const signal = new AbortController().signal;
const demand = { cpus: 2, gpus: 0.5, memoryBytes: null };
const order = { arguments: ["--threads", "2"], startSeconds: 60 };
const placing = (more: Partial<Placing> = {}): Placing => ({ demand, order, signal, ...more });

const cluster = (python: string) =>
  new RayCluster({ python, address: "auto", pythonPath: [], startSeconds: 60, signal });

describe("a backend on a cluster", () => {
  test("is placed with keys that were made for it, and released", async () => {
    const directory = temporaryDirectory();
    const ray = cluster(fakePlacing(directory, [CONNECTED], [[PLACED], [RELEASED]]));
    const placed = await ray.place(placing());
    expect(placed).toMatchObject({ endpoint: "tcp://10.0.0.1:5", node: "10.0.0.1" });
    await placed.release();
    await ray.stop();
    const [asked, released] = readFileSync(join(directory, "requests"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(asked).toEqual({
      type: "place",
      id: 1,
      demand: { cpus: 2, gpus: 0.5, memory_bytes: null },
      order: { client_key: expect.any(String), arguments: ["--threads", "2"], start_seconds: 60 },
    });
    expect(released).toEqual({ type: "release", id: 1 });
    const keys = { publicKey: asked.order.client_key, secretKey: expect.any(String), serverPublicKey: "theirs" };
    expect(placed.credentials).toEqual({ kind: "curve", keys, from: "its placement" });
    const { secretKey } = placed.credentials.kind === "curve" ? placed.credentials.keys : { secretKey: "" };
    expect(secretKey).toHaveLength(40);
    expect(readFileSync(join(directory, "requests"), "utf8"), "Ray is told no secret").not.toContain(secretKey);
  });

  test("is waited for, and what it says is passed on", async () => {
    const waiting = '{"type":"waiting","id":1,"what":"waiting for {CPU: 2}"}';
    const said = '{"type":"said","id":1,"line":"hello"}';
    const heard: string[] = [];
    const ray = cluster(fakePlacing(temporaryDirectory(), [CONNECTED], [[waiting, said, PLACED]]));
    const told = { onWaiting: (what: string) => heard.push(what), onOutput: (line: string) => heard.push(line) };
    await ray.place(placing(told));
    expect(heard).toEqual(["waiting for {CPU: 2}", "hello"]);
    await ray.stop();
  });

  test("that is lost before it listens is placed again", async () => {
    const again = PLACED.replace('"id":1', '"id":2');
    const ray = cluster(fakePlacing(temporaryDirectory(), [CONNECTED], [[LOST(1)], [again]]));
    expect(await ray.place(placing())).toMatchObject({ node: "10.0.0.1" });
    await ray.stop();
  });

  test("is refused where three in a row are lost", async () => {
    const ray = cluster(fakePlacing(temporaryDirectory(), [CONNECTED], [[LOST(1)], [LOST(2)], [LOST(3)]]));
    await expect(ray.place(placing())).rejects.toThrow("3 were lost, the last one so: its node died");
    await ray.stop();
  });

  test("says when it is lost later", async () => {
    const ray = cluster(fakePlacing(temporaryDirectory(), [CONNECTED], [[PLACED, LOST(1)]]));
    const placed = await ray.place(placing());
    expect(await placed.lost).toBe("its node died");
    await ray.stop();
  });

  test("is lost with the program that had it held, and the next one has another program", async () => {
    const directory = temporaryDirectory();
    const python = fakePython(directory, `echo '${CONNECTED}'`, "read -r request", `echo '${PLACED}'`, "exit 7");
    const ray = cluster(python);
    const placed = await ray.place(placing());
    expect(await placed.lost).toBe("the program that has Ray hold backends ended: exit code 7");
    expect(await (await ray.place(placing())).lost).toContain("exit code 7");
    await ray.stop();
  });

  test("is lost with a program that says what ours never does, which is told", async () => {
    const ray = cluster(fakePlacing(temporaryDirectory(), [CONNECTED], [[PLACED, "hello"]]));
    const placed = await ray.place(placing());
    expect(await placed.lost).toBe(
      "the program that has Ray hold backends ended: py_ray said something else than was expected: hello",
    );
    await ray.stop();
  });

  test.each([
    [true, "usage"],
    [false, "surroundings"],
  ])("that cannot be is refused (for what was asked: %s)", async (usage, kind) => {
    const refused = `{"type":"refused","id":1,"why":"no node has {CPU: 64}","usage":${usage}}`;
    const ray = cluster(fakePlacing(temporaryDirectory(), [CONNECTED], [[refused]]));
    await expect(ray.place(placing())).rejects.toMatchObject({ kind, message: "no node has {CPU: 64}" });
    await ray.stop();
  });

  test("is no longer wanted once the command is interrupted", async () => {
    const abort = new AbortController();
    const directory = temporaryDirectory();
    const waiting = '{"type":"waiting","id":1,"what":"waiting"}';
    const ray = cluster(fakePlacing(directory, [CONNECTED], [[waiting], [RELEASED]]));
    const asked = ray.place(placing({ signal: abort.signal, onWaiting: () => abort.abort() }));
    await expect(asked).rejects.toThrow(Interrupted);
    expect(readFileSync(join(directory, "requests"), "utf8")).toContain('{"type":"release","id":1}');
    await ray.stop();
  });
});

describe("a cluster that cannot be had", () => {
  test("is told in the program's own line", async () => {
    const python = fakePython(temporaryDirectory(), "echo noise >&2", "echo 'py_ray: no cluster there' >&2", "exit 4");
    await expect(cluster(python).place(placing())).rejects.toMatchObject({
      kind: "surroundings",
      message: "no cluster there",
    });
  });

  test("is told with the last lines of a program that failed otherwise", async () => {
    const python = fakePython(temporaryDirectory(), "echo 'Traceback' >&2", "exit 1");
    await expect(cluster(python).place(placing())).rejects.toThrow("exit code 1; its last lines: Traceback");
  });

  test("is told where Python cannot be started", async () => {
    await expect(cluster("/nowhere/python").place(placing())).rejects.toThrow("there is no such program");
  });

  test("is told where something else than our program answers", async () => {
    const ray = cluster(fakePlacing(temporaryDirectory(), ["hello"]));
    await expect(ray.place(placing())).rejects.toThrow("py_ray said something else than was expected: hello");
  });

  test("is tried anew by who asks next", async () => {
    const directory = temporaryDirectory();
    const ray = cluster(fakePython(directory, "echo 'py_ray: no cluster there' >&2", "exit 4"));
    await expect(ray.place(placing())).rejects.toThrow("no cluster there");
    fakePlacing(directory, [CONNECTED], [[PLACED]]);
    expect(await ray.place(placing())).toMatchObject({ node: "10.0.0.1" });
    await ray.stop();
  });
});

import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/package-root.js";
import { coldPython, warmPython } from "../warm-python/python.js";
import { ibatch, Scratch, smallConfig } from "./ibatch.js";

/** Bad input, each with one clear line and its exit code. */

const scratch = new Scratch();
afterAll(() => scratch.remove());
const config = scratch.write("small.yaml", smallConfig);
const mnist = join(packageRoot, "configs/mnist.yaml");
const out = ["--out", scratch.path("out")];

describe("exit code 2: the command line or the config is wrong", () => {
  it.each([
    [
      "an unknown key",
      smallConfig.replace("batching:", "batchin:"),
      /small\.yaml:6: batchin: unknown key; did you mean `batching`\?/,
    ],
    [
      "an unknown option",
      smallConfig.replace("momentum", "momentm"),
      /:4: optimizer\.momentm: unknown key; did you mean `momentum`\?/,
    ],
    ["a wrong type", smallConfig.replace("epochs: 2", "epochs: two"), /:8: epochs: expected .*, not "two"/],
    [
      "an unknown order",
      smallConfig.replace("order: shuffled", "order: shufled"),
      /:13: .*shufled.*[Dd]id you mean "?shuffled/,
    ],
    ["an unknown model", smallConfig.replace("mnist-cnn", "mnist-cn"), /:3: .*mnist-cn.*[Dd]id you mean "?mnist-cnn/],
    ["batch size 0", smallConfig.replace("size: 16", "size: 0"), /:6: batching\.size: .*, not 0/],
    ["a seed out of range", smallConfig.replace("seeds: 1", "seeds: [4294967296]"), /:9: seeds/],
    ["a subset larger than the data", smallConfig.replace("subset: 315", "subset: 3150"), /1437/],
  ])("%s", async (name, text, expected) => {
    const path = scratch.write(join(name, "small.yaml"), text);
    const { code, stderr, stdout } = await ibatch(["run", path, "--quiet", ...out]);
    expect(stderr).toMatch(expected);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it("a --set of an unknown key names the --set", async () => {
    const { code, stderr } = await ibatch(["run", config, "--set", "epoch=3", ...out]);
    expect(stderr).toBe("ibatch: --set epoch=3: epoch: unknown key; did you mean `epochs`?\n");
    expect(code).toBe(2);
  });

  it("an unknown option of the command line", async () => {
    const { code, stderr } = await ibatch(["run", config, "--sed", "3"]);
    expect(stderr).toContain("--sed");
    expect(code).toBe(2);
  });

  it("a config that is not there", async () => {
    const { code, stderr } = await ibatch(["run", scratch.path("nowhere.yaml")]);
    expect(stderr).toMatch(/^ibatch: config .*nowhere\.yaml/);
    expect(code).toBe(2);
  });

  it("a run directory of another config", async () => {
    const directory = scratch.path("taken");
    mkdirSync(directory);
    writeFileSync(join(directory, "experiment.json"), JSON.stringify({ hash: "f".repeat(64) }));
    const { code, stderr } = await ibatch(["run", config, "--out", directory]);
    expect(stderr).toMatch(/taken holds experiment ffffffff, this config is experiment [0-9a-f]{8}: name another/);
    expect(code).toBe(2);
    expect(JSON.parse(readFileSync(join(directory, "experiment.json"), "utf8"))).toEqual({ hash: "f".repeat(64) });
  });
});

describe("exit code 4: something is missing", () => {
  it("a data directory that is not there", async () => {
    const { code, stderr } = await ibatch(["run", mnist, "--data", scratch.path("no-data"), ...out]);
    expect(stderr).toContain("there is no directory ");
    expect(stderr).toContain(scratch.path("no-data"));
    expect(code).toBe(4);
  });

  it("a truncated IDX file", async () => {
    const raw = scratch.path("data/MNIST/raw");
    mkdirSync(raw, { recursive: true });
    const header = (magic: number, ...sizes: number[]) => {
      const bytes = Buffer.alloc(4 * (1 + sizes.length));
      for (const [at, value] of [magic, ...sizes].entries()) bytes.writeUInt32BE(value, 4 * at);
      return bytes;
    };
    const images = (count: number, bytes: number) => Buffer.concat([header(0x803, count, 28, 28), Buffer.alloc(bytes)]);
    const labels = Buffer.concat([header(0x801, 20), Buffer.alloc(20)]);
    writeFileSync(join(raw, "train-images-idx3-ubyte"), images(20, 20 * 784 - 1));
    writeFileSync(join(raw, "train-labels-idx1-ubyte"), labels);
    writeFileSync(join(raw, "t10k-images-idx3-ubyte"), images(20, 20 * 784));
    writeFileSync(join(raw, "t10k-labels-idx1-ubyte"), labels);
    const { code, stderr } = await ibatch(["run", mnist, "--data", scratch.path("data"), ...out]);
    expect(stderr).toMatch(/train-images-idx3-ubyte/);
    expect(stderr).toMatch(/15,?695|15,?679/); // with or without the 16 bytes of the header
    expect(code).toBe(4);
  });

  it("a Python without torch", async () => {
    const bare = scratch.path("bare-python");
    // The same interpreter without its packages, and without ours in front of it but py_backend itself.
    writeFileSync(bare, `#!/bin/sh\nexec "${coldPython}" -S "$@"\n`);
    chmodSync(bare, 0o755);
    const { code, stderr } = await ibatch(["run", config, "--python", bare, ...out], { PYTHONPATH: "" });
    expect(stderr).toMatch(/torch cannot be imported by .*: install torch >= 2\.8/);
    expect(code).toBe(4);
  });

  it("a Python that is not there", async () => {
    const { code, stderr } = await ibatch(["run", config, "--python", scratch.path("no-python"), ...out]);
    expect(stderr).toMatch(/no-python cannot be started/);
    expect(code).toBe(4);
  });

  it("a port that is taken", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const listen = `backend.listen=tcp://127.0.0.1:${port}`;
    const { code, stderr } = await ibatch(["run", config, "--set", listen, ...out]);
    server.close();
    expect(stderr).toMatch(new RegExp(`cannot listen at tcp://127\\.0\\.0\\.1:${port}: .*name another port`));
    expect(code).toBe(4);
  });

  it("a backend that nobody runs", async () => {
    const { code, stderr } = await ibatch([...["run", config, "--backend", "tcp://127.0.0.1:9", ...out]]);
    expect(stderr).toMatch(/nothing listens at tcp:\/\/127\.0\.0\.1:9 \(ECONNREFUSED\)/);
    expect(code).toBe(4);
  });

  it("a device that is not there", async () => {
    const { code, stderr } = await ibatch(["run", config, "--device", "cuda:99", ...out]);
    expect(stderr).toContain("cuda:99");
    expect(code).toBe(4);
  });
});

it("a file of the user's directory is no module of the backend", async () => {
  const directory = scratch.path("of-the-user");
  mkdirSync(directory);
  for (const name of ["torch", "zmq", "py_backend"]) {
    writeFileSync(join(directory, `${name}.py`), "raise SystemExit('this is the wrong file')\n");
  }
  const { code, stderr } = await ibatch(["list", "models", "--json"], { IBATCH_PYTHON: coldPython }, directory);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

it("a reader that goes early (`| head -1`) is no error", async () => {
  const command = `"${process.execPath}" "${join(packageRoot, "dist/cli/main.js")}" order shuffled`;
  const many = `${command} --samples 100000 --batches 100000 | head -1`;
  const child = spawn("sh", ["-c", many], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  await new Promise((resolve) => child.once("close", resolve));
  expect(said).toMatch(/^shuffled: .*\n$/);
});

it.skipIf(process.platform === "win32")("few file handles are told in a line, not in Node's loader stack", () => {
  const main = join(packageRoot, "dist/cli/main.js");
  const command = `ulimit -n 40; exec "${process.execPath}" "${main}" list orders`;
  const { status, stdout, stderr } = spawnSync("sh", ["-c", command], { encoding: "utf8" });
  expect({ status, stdout, stderr }).toEqual({
    status: 4,
    stdout: "",
    stderr: "ibatch: too many files are open: raise `ulimit -n`, to 256 at least\n",
  });
});

describe("a backend that runs already", () => {
  it("is used with --backend, and still there afterwards", async () => {
    const child = spawn(
      warmPython,
      ["-m", "py_backend", "--child", "--listen", "tcp://127.0.0.1:0", "--threads", "1", "--device", "cpu"],
      {
        cwd: packageRoot,
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    const exited = new Promise((resolve) => child.once("exit", resolve));
    const line = await new Promise<string>((resolve) => child.stdout.setEncoding("utf8").once("data", resolve));
    const { control } = JSON.parse(line);
    const small = ["--set", "arms={shuffled: {order: shuffled}}", "--set", "epochs=1", "--json"];
    for (const name of ["attached-1", "attached-2"]) {
      const { code, stdout } = await ibatch([
        ...["run", config, "--backend", control, "--out", scratch.path(name), ...small],
      ]);
      expect(code).toBe(0);
      expect(JSON.parse(stdout).arms[0]).toMatchObject({ arm: "shuffled", done: 1, failed: 0, diverged: 0 });
    }
    const { code, stderr } = await ibatch(["run", config, "--backend", control, "--set", "backend.threads=2", ...out]);
    expect(stderr).toMatch(/computes with 1 threads, 2 were asked for: start that backend with --threads 2, or /);
    expect(code).toBe(2);
    child.stdin.end();
    expect(await exited).toBe(0);
  });
});

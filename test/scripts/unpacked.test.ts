// The programs of a packed archive, with a Node that only says what it was given: which Python they take, and what they add to it.
import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { runTool } from "../../scripts/setup/tools.mjs";
import { findPython } from "../../src/process/find-python.js";

const UNPACKED = join(import.meta.dirname, "..", "..", "scripts", "pack", "unpacked");
const PROGRAMS = ["ibatch", "python", "check-gpu"];

let root: string;
let site: string;
let python: string;
let version: string;

/** A Python without any packages but those of a folder, in which tests put what is there already. */
beforeEach(async () => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "ibatch unpacked ")));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  site = join(root, "site");
  for (const name of PROGRAMS) cpSync(join(UNPACKED, name), join(root, name));
  for (const name of ["environment.sh", "wheels.py"]) cpSync(join(UNPACKED, name), join(root, "packed", name));
  program(join(root, "bin", "node"), `echo "$IBATCH_PYTHON|$PYTHONPATH|$*|\${PATH%%:*}|$IBATCH_DATA"`);
  python = program(join(root, "env", "bin", "python"), `exec ${findPython(undefined)} -S "$@"`);
  const { output } = await runTool(python, ["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]);
  version = output.trim();
  install("torch");
});

function program(path: string, script: string): string {
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

function install(module: string): void {
  mkdirSync(join(site, module), { recursive: true });
  writeFileSync(join(site, module, "__init__.py"), "");
}

const own = () => `cp${version.replace(".", "")}`;
const wheel = (module: string, tags: object = {}, needed = true) => {
  const all = { name: module, module, needed, python: own(), abi: own(), ...tags };
  return { ...all, folder: `${module}-1-${all.python}-${all.abi}` };
};

/** Runs one of the programs of an archive with these wheels. */
async function run(name: string, args: string[], { wheels = [wheel("zmq")], note = {}, env = {} } = {}) {
  const machine = process.arch === "x64" ? "x86_64" : "aarch64";
  writeFileSync(
    join(root, "packed.json"),
    JSON.stringify({ machine, glibc: "2.28", pythons: ["3.12"], needs: ["zmq"], wheels, ...note }),
  );
  const environment = { PATH: "/usr/bin:/bin", IBATCH_PYTHON: python, PYTHONPATH: site, ...env };
  const { code, output } = await runTool(join(root, name), args, { env: environment });
  return { code, output: output.trim() };
}

const added = (...folders: string[]) =>
  [site, ...folders.map((folder) => join(root, "wheels", folder))].join(delimiter);

describe.runIf(process.platform === "linux")("ibatch of an archive", () => {
  test("gives the command its Node, the Python, and what that lacks, behind what it has", async () => {
    install("numpy");
    const wheels = [
      wheel("numpy"),
      wheel("zmq", { abi: "abi3", python: "cp310" }),
      wheel("pluggy", { python: "py3", abi: "none" }, false),
    ];
    const { code, output } = await run("ibatch", ["run", "a b.yaml"], { wheels });
    expect(code).toBe(0);
    expect(output.split("|")).toEqual([
      python,
      added("zmq-1-cp310-abi3", "pluggy-1-py3-none"),
      `${join(root, "dist/cli/main.js")} run a b.yaml`,
      join(root, "bin"),
      "",
    ]);
  });

  test("leaves a Python that lacks nothing as it is", async () => {
    install("zmq");
    expect((await run("ibatch", [])).output.split("|")[1]).toBe(site);
  });

  test.each([[["--python", "HERE"]], [["run", "--python=HERE"]], [["list", "--python", "HERE/bin/python", "--json"]]])(
    "takes the Python that %j names, also by its environment's folder",
    async (args) => {
      const here = args.map((arg) => arg.replace("HERE", join(root, "env")));
      const { output } = await run("ibatch", here, { env: { IBATCH_PYTHON: "/no/such/python" } });
      expect(output.split("|")[0]).toBe(python);
    },
  );

  test("has data where the archive came with a folder of that name, unless another one is named", async () => {
    mkdirSync(join(root, "data"));
    expect((await run("ibatch", [])).output.split("|")[4]).toBe(join(root, "data"));
    expect((await run("ibatch", [], { env: { IBATCH_DATA: "/mine" } })).output.split("|")[4]).toBe("/mine");
  });

  test("takes of several wheels the one that fits", async () => {
    const wheels = [
      wheel("zmq", { python: "cp39", abi: "cp39" }),
      wheel("zmq"),
      wheel("zmq", { python: "cp399", abi: "abi3" }),
    ];
    expect((await run("ibatch", [], { wheels })).output.split("|")[1]).toBe(added(`zmq-1-${own()}-${own()}`));
  });

  test("refuses a Python for which the archive has no wheels, with what to do", async () => {
    const wheels = [wheel("zmq", { python: "cp39", abi: "cp39" }), wheel("numpy", { python: "cp39", abi: "cp39" })];
    const { code, output } = await run("ibatch", [], { wheels, note: { pythons: ["3.9", "3.12"] } });
    expect(code).toBe(4);
    expect(output).toMatch(
      new RegExp(
        `^ibatch: \\S.* is Python ${version}\\.\\d+, and has no numpy, zmq\\. Expected: Python 3\\.9 or 3\\.12, for which this ` +
          `archive has them, or one that has them\\. Name another with IBATCH_PYTHON or --python, or make the archive anew ` +
          `with npm run pack -- --python-version ${version}\\.$`,
      ),
    );
  });

  test("refuses a Python that lacks what the archive was made without", async () => {
    const { code, output } = await run("ibatch", [], { note: { needs: ["zmq", "numpy"] } });
    expect(output).toMatch(
      /, and has no numpy, nor has this archive\. Expected: one that has it\. Name another with IBATCH_PYTHON or --python, or make the archive anew without --without numpy\.$/,
    );
    expect(code).toBe(4);
  });

  test("does not mind that what only tests need does not fit", async () => {
    const wheels = [wheel("zmq"), wheel("pytest", { python: "cp39", abi: "cp39" }, false)];
    expect((await run("ibatch", [], { wheels })).output.split("|")[1]).toBe(added(`zmq-1-${own()}-${own()}`));
  });

  test.each([
    [
      "no torch",
      { env: { PYTHONPATH: "" } },
      /and has no torch\. Expected: torch 2\.8 or newer\. Name another with IBATCH_PYTHON/,
    ],
    [
      "no Python",
      { env: { IBATCH_PYTHON: "no-such" } },
      /there is no Python at no-such\. Expected: one that has torch\./,
    ],
    [
      "another processor",
      { note: { machine: "vax" } },
      /this machine is Linux \w+\. Expected: Linux vax, for which the archive was made\./,
    ],
    ["an old glibc", { note: { glibc: "99.1" } }, /this machine has glibc \d\.\d+\. Expected: glibc 99\.1 or newer\./],
  ])("says what is wrong with %s, with 4", async (_, options, says) => {
    const { code, output } = await run("ibatch", [], options);
    expect(output).toMatch(says);
    expect(output).not.toContain("\n");
    expect(code).toBe(4);
  });

  test("is told where it is called through a link", async () => {
    const link = join(root, "env", "linked");
    await runTool("ln", ["-s", join(root, "ibatch"), link]);
    const { output } = await runTool(link, [], { env: { PATH: "/usr/bin:/bin", IBATCH_PYTHON: "/no/such" } });
    expect(output).toContain("there is no Python at /no/such");
  });
});

describe.runIf(process.platform === "linux")("beside it", () => {
  test("python finds the backend, what it lacks, and what it had", async () => {
    mkdirSync(join(root, "wheels", `zmq-1-${own()}-${own()}`, "zmq"), { recursive: true });
    writeFileSync(join(root, "wheels", `zmq-1-${own()}-${own()}`, "zmq", "__init__.py"), "");
    mkdirSync(join(root, "ours"));
    writeFileSync(join(root, "ours", "__main__.py"), "import torch, zmq; print('both')");
    expect(await run("python", ["-m", "ours"])).toEqual({ code: 0, output: "both" });
  });

  test("check-gpu is the script that a clone has", async () => {
    const { output } = await run("check-gpu", ["--device", "cpu"]);
    expect(output.split("|")[2]).toBe(`${join(root, "scripts/cuda.mjs")} --device cpu`);
  });
});

// What `npm run pack` takes, and what it refuses. The whole, unpacked and run, is in test/nightly/pack.nightly.ts.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { contents, digitsFiles, licenceOfNode } from "../../scripts/pack/contents.mjs";
import {
  addonFor,
  filesOfModules,
  glibcNeededBy,
  isRun,
  manifestOf,
  newest,
  productionPackages,
} from "../../scripts/pack/modules.mjs";
import { lookAtNode } from "../../scripts/pack/node-binary.mjs";
import { archiveName, folderName, readOptions } from "../../scripts/pack/options.mjs";
import { sizes, tooLarge, type WrittenPart } from "../../scripts/pack/sizes.mjs";
import { isUsed, ofTests, readName, requirements } from "../../scripts/pack/wheels.mjs";
import { runTool } from "../../scripts/setup/tools.mjs";
import { findPython } from "../../src/process/find-python.js";
import { failure } from "./fake-machine.js";

const ROOT = join(import.meta.dirname, "..", "..");
const text = (name: string) => readFileSync(join(ROOT, name), "utf8");
const MIB = 2 ** 20;

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "ibatch pack "));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe("options", () => {
  test("name several Pythons, folders that go along, and what is left out", () => {
    const options = readOptions(["--python-version", "3.11.4,3.12", "--with", "/a/data", "--without", "numpy,scipy"]);
    expect(options).toMatchObject({
      pythonVersions: ["3.11", "3.12"],
      folders: ["/a/data"],
      without: ["numpy", "scipy"],
      mostMiB: 60,
      help: false,
    });
  });

  test.each([
    [
      ["--python-version", "3.9"],
      "--python-version 3.9. Expected: 3.10 to 3.13, as the machine's python3 --version says.",
    ],
    [["--python-version", "2.7"], "--python-version 2.7. Expected: 3.10 to 3.13"],
    [["--without", "msgspec"], "--without msgspec. Expected: numpy or scipy."],
    [["--most", "small"], "--most small. Expected: MiB, a number above 0."],
    [["--ouput", "x"], "Unknown option '--ouput'. Expected: what npm run pack -- --help lists."],
    [["here"], "Unexpected argument 'here'"],
  ])("%j is refused", async (args, says) => {
    expect(
      await failure(
        Promise.resolve().then(() => readOptions(args)),
        2,
      ),
    ).toContain(says);
  });

  test("the archive is named by version, processor and Python, and its folder like it", () => {
    const name = archiveName({ version: "0.1.0", arch: "x64", pythonVersions: ["3.11", "3.12"] });
    expect(name).toBe("ibatch-0.1.0-linux-x64-py3.11-3.12");
    expect(folderName(`/somewhere/${name}.tar.xz`)).toBe(name);
  });
});

describe("Python packages", () => {
  const texts = () => [
    text("requirements-backend.txt"),
    text("requirements.txt"),
    ofTests(text("requirements-dev.txt")),
  ];
  const names = (version: string, without?: string[]) =>
    requirements(texts(), version, without).map((line) => line.split("==")[0]);

  test("are what the backend and the statistics need but for torch, and pytest", () => {
    expect(names("3.12")).toEqual(["numpy", "pyzmq", "msgspec", "safetensors", "scipy", "pytest"]);
    expect(names("3.12", ["numpy", "scipy"])).toEqual(["pyzmq", "msgspec", "safetensors", "pytest"]);
  });

  test("are those pinned for the machine's Python, whatever Python packs", () => {
    const lines = [
      "# a comment",
      "-r requirements.txt",
      'a==2; python_version >= "3.11"',
      'a==1; python_version < "3.11"',
    ];
    expect(requirements([lines.join("\n")], "3.10")).toEqual(["a==1", "exceptiongroup", "tomli"]);
    expect(requirements([lines.join("\n")], "3.11")).toEqual(["a==2"]);
  });

  test("that are not pinned so are refused, and not forgotten", () => {
    expect(() => requirements(["numpy>=2"], "3.12")).toThrow("`numpy>=2` in the requirements is not understood");
  });

  test("are known by the names of their files", () => {
    expect(readName("pyzmq-27.3.0-cp312-abi3-manylinux_2_26_x86_64.manylinux_2_28_x86_64.whl")).toEqual({
      file: "pyzmq-27.3.0-cp312-abi3-manylinux_2_26_x86_64.manylinux_2_28_x86_64.whl",
      name: "pyzmq",
      module: "zmq",
      needed: true,
      folder: "pyzmq-27.3.0-cp312-abi3",
      python: "cp312",
      abi: "abi3",
    });
    expect(readName("iniconfig-2.3.1-py3-none-any.whl")).toMatchObject({
      module: "iniconfig",
      needed: false,
      abi: "none",
    });
  });

  test.each([
    ["numpy/__init__.py", true],
    ["numpy.libs/libopenblas.so", true],
    ["scipy-1.17.1.dist-info/LICENSE.txt", true],
    ["numpy/testing/__init__.py", true],
    ["scipy/stats/tests/data/a.npz", false],
    ["tests/test_a.py", false],
    ["numpy/__init__.pyi", false],
    ["numpy/_core/include/numpy/arrayobject.h", false],
  ])("of which %s goes along: %s", (path, taken) => {
    expect(isUsed(path)).toBe(taken);
  });
});

describe("npm packages", () => {
  test("are those that are no development's, for Linux on Node's processor", () => {
    const packages = {
      "": {},
      "node_modules/zod": {},
      "node_modules/vitest": { dev: true },
      "node_modules/either": { devOptional: true },
      "node_modules/native-linux-x64": { optional: true, os: ["linux"], cpu: ["x64"] },
      "node_modules/native-linux-arm64": { optional: true, os: ["linux"], cpu: ["arm64"] },
      "node_modules/native-darwin-x64": { optional: true, os: ["darwin"], cpu: ["x64"] },
    };
    expect(productionPackages({ packages }, "x64")).toEqual(["node_modules/zod", "node_modules/native-linux-x64"]);
    const isThere = (path: string) => !path.includes("native");
    expect(productionPackages({ packages }, "arm64", isThere)).toEqual(["node_modules/zod"]);
    expect(() => productionPackages({ packages }, "x64", () => false)).toThrow(
      "node_modules/zod is not there. Expected: what package-lock.json lists. Run npm run setup first.",
    );
  });

  test("of this clone have each file once, ZeroMQ for one platform, and no types or maps", () => {
    const files = filesOfModules(ROOT, "x64");
    const paths = files.map(({ at }) => at);
    expect(new Set(paths).size).toBe(paths.length);
    expect(paths).toContain("node_modules/commander/package.json");
    const addons = paths.filter((path) => path.endsWith(".node") && path.includes("zeromq"));
    expect(addons).toEqual([expect.stringMatching(/^node_modules\/zeromq\/build\/linux\/x64\/node\/glibc-/)]);
    const listed = files.flatMap((file) =>
      file.at === "node_modules/zeromq/build/manifest.json" && "text" in file ? file.text : [],
    );
    expect(Object.values(JSON.parse(listed[0])).map((path) => `node_modules/zeromq/build/${path}`)).toEqual(addons);
    expect(paths.filter((path) => /\.(map|d\.ts)$|\/(vitest|typescript|assemblyscript)\//.test(path))).toEqual([]);
    expect(files.filter((file) => "from" in file && !existsSync(file.from))).toEqual([]);
  });

  test("bring the ZeroMQ that the oldest systems have a glibc for", () => {
    const addon = (build: string) => `node_modules/zeromq/build/${build}/addon.node`;
    const paths = ["linux/x64/node/glibc-115-Release", "linux/x64/node/glibc-127-Release"].map(addon);
    const others = [
      "linux/x64/node/musl-127-Release",
      "linux/arm64/node/glibc-115-Release",
      "win32/x64/node/msvc-115-Release",
    ].map(addon);
    const needed = (path: string) => (path.includes("glibc-115") ? "2.38" : "2.9");
    expect(addonFor([...paths, ...others], "x64", needed)).toBe(paths[1]);
    expect(() => addonFor(others, "x64", needed)).toThrow("zeromq has no build for Linux on x64.");
    expect(
      manifestOf({ a: "linux/x64/node/glibc-127-Release/addon.node", b: "win32\\x64\\addon.node" }, paths[1]),
    ).toBe('{"a":"linux/x64/node/glibc-127-Release/addon.node"}');
  });

  test("and Node say which glibc they need", () => {
    const file = join(temporary(), "library");
    writeFileSync(file, "\0GLIBC_2.17\0GLIBC_2.9\0GLIBCXX_3.4.30\0");
    expect(glibcNeededBy(file)).toBe("2.17");
    expect(newest(["2.28", "2.9", "2.38"])).toBe("2.38");
  });

  test.each([
    ["node_modules/zod/index.js", true],
    ["node_modules/zod/index.d.cts", false],
    ["node_modules/zod/index.js.map", false],
    ["node_modules/zod/README.md", false],
    ["node_modules/zod/LICENSE.md", true],
    ["node_modules/zeromq/src/socket.cc", false],
    ["node_modules/zeromq/lib/index.js", true],
  ])("of which %s goes along: %s", (path, taken) => {
    expect(isRun(path)).toBe(taken);
  });
});

describe("Node", () => {
  test.runIf(process.platform === "linux")("is looked at: for which processor it is", async () => {
    const node = await lookAtNode(process.execPath, runTool);
    expect(node).toMatchObject({ arch: process.arch, runsHere: true });
  });

  test("that is no program for Linux is refused", async () => {
    const file = join(temporary(), "node");
    expect(await failure(lookAtNode(file, runTool))).toContain("cannot be read (ENOENT). Expected: a Node.");
    writeFileSync(file, "#!/bin/sh\n");
    expect(await failure(lookAtNode(file, runTool))).toContain(
      "node is no program for Linux on x64 or arm64. Expected: a Node.",
    );
  });

  test.runIf(process.platform === "linux")("that needs libraries of this machine is refused", async () => {
    const run: typeof runTool = async () => ({
      code: 0,
      signal: null,
      errno: null,
      output: `["node_shared_openssl"]\n`,
    });
    expect(await failure(lookAtNode(process.execPath, run))).toContain(
      "needs libraries of this machine (node_shared_openssl)",
    );
  });
});

describe("what is ours", () => {
  const node = { arch: "x64", machine: "x86_64", path: process.execPath, program: process.execPath };
  const about = { version: "1", commit: "abc", pythonVersions: ["3.12"] };
  const asked = {
    root: ROOT,
    node,
    wheels: [],
    folder: "/none",
    digits: [],
    about,
  };
  const ours = () => contents({ ...asked, folders: [] }).find(({ name }) => name === "ibatch")?.files ?? [];

  test("is what package.json says is installed, programs, and what checks a GPU", () => {
    const places = ours().map(({ at }) => at);
    expect(places).toEqual(
      expect.arrayContaining(["dist/cli/main.js", "dist/kernels/kernels.wasm", "py_backend/__main__.py"]),
    );
    expect(places).toEqual(
      expect.arrayContaining(["configs/digits.yaml", "packed/wheels.py", "packed.json", "test/cuda/conftest.py"]),
    );
    expect(places.filter((place) => /\.(map|d\.ts|pyc)$|ibatch-stamp/.test(place))).toEqual([]);
    const programs = ours().flatMap((file) => ("program" in file && file.program ? file.at : []));
    expect(programs.sort()).toEqual(["check-gpu", "ibatch", "python"]);
  });

  test("has every script that another one of it imports", () => {
    const places = ours().map(({ at }) => at);
    const scripts = places.filter((place) => place.endsWith(".mjs") && place.startsWith("scripts/"));
    const imported = scripts.flatMap((place) =>
      [...text(place).matchAll(/from "(\.[^"]+)"/g)].map(([, path]) => join(place, "..", path)),
    );
    expect(imported.length).toBeGreaterThan(10);
    expect(imported.filter((path) => !places.includes(path))).toEqual([]);
  });

  test("has a note of machine, commit and wheels for the programs", () => {
    const note = ours().flatMap((file) => (file.at === "packed.json" && "text" in file ? file.text : []));
    expect(JSON.parse(note[0])).toEqual({
      ...{ version: "1", commit: "abc", machine: "x86_64" },
      glibc: expect.stringMatching(/^2\.\d+$/),
      pythons: ["3.12"],
      needs: ["numpy", "zmq", "msgspec", "safetensors"],
      wheels: [],
    });
  });

  test("has the digits of scikit-learn, with its licence, and Node's", async () => {
    const files = await digitsFiles(findPython(undefined), runTool);
    expect(files.map(({ at }) => at)).toEqual([
      "py_backend/datasets/digits.csv.gz",
      "packed/licences/scikit-learn.txt",
    ]);
    expect(files.every((file) => "from" in file && existsSync(file.from))).toBe(true);
    const nothing: typeof runTool = async () => ({ code: 1, signal: null, errno: null, output: "" });
    expect(await failure(digitsFiles("python3", nothing))).toContain("python3 has no scikit-learn with its digits.");

    const folder = temporary();
    expect(licenceOfNode({ path: join(folder, "bin", "node") })).toEqual([]);
    writeFileSync(join(folder, "LICENSE"), "");
    const from = join(folder, "LICENSE");
    expect(licenceOfNode({ path: join(folder, "bin", "node") })).toEqual([{ at: "packed/licences/node.txt", from }]);
  });

  test("is joined by folders of the user's, but not by one that it has itself", () => {
    const folder = join(temporary(), "data");
    expect(() => contents({ ...asked, folders: [folder] })).toThrow(`--with ${folder} is no folder.`);
    mkdirSync(folder);
    writeFileSync(join(folder, "a.bin"), "");
    const added = contents({ ...asked, folders: [folder] }).at(-1);
    expect(added).toEqual({ name: "--with data", files: [{ at: "data/a.bin", from: join(folder, "a.bin") }] });
    expect(() => contents({ ...asked, folders: [join(ROOT, "configs")] })).toThrow(
      "the archive has a configs of its own.",
    );
  });
});

describe("size", () => {
  const part = (name: string, packed: number): WrittenPart => ({
    name,
    files: 2,
    bytes: 2 * packed * MIB,
    packed: packed * MIB,
  });

  test("is told of each part", () => {
    expect(sizes([part("Node", 20), part("numpy", 8.5)])).toBe(
      [
        "Node                                2 files    40.0 MiB   20.0 MiB packed",
        "numpy                               2 files    17.0 MiB    8.5 MiB packed",
        "all                                 4 files    57.0 MiB   28.5 MiB packed",
        "",
      ].join("\n"),
    );
  });

  test("above the bar refuses the archive, but for what the user adds", () => {
    const parts = [part("Node", 30), part("scipy", 30)];
    expect(tooLarge([...parts, part("--with data", 40)], 60)).toBeUndefined();
    expect(tooLarge([...parts, part("numpy", 0.5)], 60)).toContain(
      "the archive would have 60.5 MiB, of which 30.0 are Node. Expected: 60 at most.",
    );
  });
});

describe("archive", () => {
  test("has the same bytes for the same files, and opens as one", async () => {
    const folder = temporary();
    writeFileSync(join(folder, "b"), "of a file\n");
    const parts = [
      { name: "one", files: [{ at: "bin/b", from: join(folder, "b"), program: true }] },
      { name: "two", files: [{ at: "a.json", text: "é" }] },
    ];
    const [first, second] = await Promise.all(["1.tar.xz", "2.tar.xz"].map((name) => write(join(folder, name), parts)));
    expect(first).toEqual(second);
    const list = await runTool(findPython(undefined), ["-m", "tarfile", "-l", join(folder, "1.tar.xz")]);
    expect(
      list.output
        .trim()
        .split("\n")
        .map((line) => line.trim()),
    ).toEqual(["top/bin/b", "top/a.json"]);
    expect(readFileSync(join(folder, "1.tar.xz"))).toEqual(readFileSync(join(folder, "2.tar.xz")));
  });

  async function write(output: string, parts: unknown): Promise<WrittenPart[]> {
    const program =
      "import runpy, sys, io; sys.stdin = io.StringIO(sys.argv.pop()); runpy.run_path(sys.argv[1], run_name='__main__')";
    const asked = JSON.stringify({ folder: "top", machine: "x86_64", output, time: 1_700_000_000, parts });
    const { code, output: said } = await runTool(findPython(undefined), [
      "-c",
      program,
      join(ROOT, "scripts/pack/archive.py"),
      asked,
    ]);
    expect(code).toBe(0);
    return JSON.parse(said);
  }
});

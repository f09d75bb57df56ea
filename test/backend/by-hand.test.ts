// What is said of how to start a backend by hand can be given as it is.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { howByHand } from "../../src/backend/by-hand.js";
import { packageRoot } from "../../src/package-root.js";
import { temporaryDirectory } from "../experiment/scene.js";
import { fakePython } from "../process/fake-python.js";

const place = vi.hoisted((): { root?: string | undefined } => ({}));
vi.mock("../../src/package-root.js", async (original) => {
  const real = await original<typeof import("../../src/package-root.js")>();
  return {
    ...real,
    get packageRoot() {
      return place.root ?? real.packageRoot;
    },
  };
});

const own = join(packageRoot, ".venv", "bin", "python");
const ENDPOINT = "tcp://127.0.0.1:5555";

beforeEach(() => {
  vi.stubEnv("IBATCH_PYTHON", own);
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  place.root = undefined;
});

const from = (directory: string) => vi.spyOn(process, "cwd").mockReturnValue(directory);

test("in the package's directory it is README's command", () => {
  from(packageRoot);
  const how = howByHand(ENDPOINT, { device: "auto", threads: 1 });
  expect(how).toBe(`\`.venv/bin/python -m py_backend --listen ${ENDPOINT} --threads 1\``);
  expect(readFileSync(join(packageRoot, "README.md"), "utf8")).toContain(how.replaceAll("`", ""));
});

test("elsewhere it says where Python and py_backend are, quoted where a shell needs that", () => {
  from("/mine");
  expect(howByHand("ipc:///my place/b", { device: "cpu", threads: "auto" })).toBe(
    `\`PYTHONPATH=${packageRoot} ${own} -m py_backend --listen 'ipc:///my place/b' --device cpu\``,
  );
});

test("a shell takes it where the package and Python lie in paths with spaces", () => {
  const root = join(temporaryDirectory(), "it's my place");
  mkdirSync(root);
  vi.stubEnv("IBATCH_PYTHON", fakePython(root, 'printf "%s\\n" "$PYTHONPATH" "$@"'));
  place.root = root;
  const command = howByHand(ENDPOINT, { device: "auto", threads: "auto" }).replaceAll("`", "");
  const said = execFileSync("sh", ["-c", command], { encoding: "utf8" });
  expect(said.split("\n")).toEqual([root, "-m", "py_backend", "--listen", ENDPOINT, ""]);
});

test("it allows the modules of the user's that are needed", () => {
  from(packageRoot);
  const userCode = { allowImport: ["mynet", "team.data"], pythonPath: [] };
  expect(howByHand(ENDPOINT, { device: "auto", threads: "auto", userCode })).toBe(
    `\`.venv/bin/python -m py_backend --listen ${ENDPOINT} --allow-import mynet --allow-import team.data\`` +
      " (and --python-path DIR where modules of yours are in DIR)",
  );
});

test("it is said also where no Python is found here", () => {
  from(packageRoot);
  vi.stubEnv("IBATCH_PYTHON", packageRoot); // a folder without an interpreter
  expect(howByHand(ENDPOINT, { device: "auto", threads: "auto" })).toBe(
    `\`python -m py_backend --listen ${ENDPOINT}\``,
  );
});

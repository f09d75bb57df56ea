// examples/compose without Docker: its files name what is there.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { packageRoot } from "../src/package-root.js";

const folder = join(packageRoot, "examples", "compose");
const lines = readFileSync(join(folder, "Dockerfile"), "utf8").split("\n");
const { backend } = parse(readFileSync(join(folder, "compose.yaml"), "utf8")).services;

test("what is copied is there, and let through to Docker", () => {
  const copied = lines.flatMap((line) => /^COPY (\S+) /.exec(line)?.[1] ?? []);
  expect(copied).toEqual(["requirements-backend.txt", "py_backend"]);
  expect(copied.filter((path) => !existsSync(join(packageRoot, path)))).toEqual([]);
  const passed = readFileSync(join(folder, "Dockerfile.dockerignore"), "utf8").match(/(?<=^!).+/gm);
  expect(passed).toEqual(copied);
});

test("it is built from the root of the repository", () => {
  const { context, dockerfile } = backend.build;
  expect(join(folder, context)).toBe(packageRoot);
  expect(existsSync(join(packageRoot, dockerfile))).toBe(true);
});

test("both ports that it listens at are passed on, under their own numbers", () => {
  const control = Number(/:(\d+)$/.exec(backend.command[backend.command.indexOf("--listen") + 1])?.[1]);
  expect(backend.ports).toEqual([control, control + 1].map((port) => `${port}:${port}`));
});

test("its keys are where the volume is", () => {
  const keys = backend.command[backend.command.indexOf("--keys") + 1];
  expect(backend.volumes[0]).toMatch(new RegExp(`^\\$\\{IBATCH_KEYS:\\?[^}]+\\}:${keys}:ro$`));
});

test("its options are those of a backend", () => {
  const program = readFileSync(join(packageRoot, "py_backend", "__main__.py"), "utf8");
  const options: string[] = backend.command.filter((word: string) => word.startsWith("--"));
  expect(options).toEqual(["--listen", "--keys", "--threads"]);
  expect(options.filter((option) => !program.includes(`"${option}"`))).toEqual([]);
});

test("the numbers of threads in the docs are what configs/digits.yaml asks a backend for", () => {
  const { threads } = parse(readFileSync(join(packageRoot, "configs", "digits.yaml"), "utf8")).backend;
  const readme = readFileSync(join(packageRoot, "README.md"), "utf8");
  const given = [...readme.matchAll(/py_backend --listen .*--threads (\d+)/g)].map(([, count]) => Number(count));
  expect(given).toEqual([threads, threads]);
  expect(backend.command.at(-1)).toBe(`\${IBATCH_THREADS:-${threads}}`);
});

test("its data is where `ibatch data` puts it in the repository", () => {
  const folderOnHost = /^\$\{IBATCH_HOST_DATA:-([^}]+)\}:\/data:ro$/.exec(backend.volumes[1])?.[1];
  expect(join(folder, folderOnHost ?? "")).toBe(join(packageRoot, "data"));
});

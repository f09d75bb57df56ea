import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { SOURCES } from "../../src/download/sources.js";
import { packageRoot } from "../../src/package-root.js";

const filesOf = (source: (typeof SOURCES)[number]) => (source.kind === "files" ? source.files : [source.archive]);

test("the four sets of the backend that need files", () => {
  expect(SOURCES.map(({ name }) => name)).toEqual(["mnist", "fashion-mnist", "cifar10", "cifar100"]);
});

describe.each(SOURCES.map((source) => [source.name, source] as const))("%s", (name, source) => {
  const reader = readFileSync(join(packageRoot, "py_backend/datasets", `${name.replace("-", "_")}.py`), "utf8");

  test("goes where the backend's reader looks first", () => {
    const first = source.kind === "files" ? `FOLDERS = ("${source.folder}",` : `python_folder="${source.folder}"`;
    expect(reader).toContain(first);
  });

  test("has every checksum that the reader checks, and the same", () => {
    const checked = [...reader.matchAll(/"(\w+)": "([0-9a-f]{32})"/g)].map(([, file, md5]) => ({ name: file, md5 }));
    expect(source.kind === "files" ? [] : source.members).toEqual(expect.arrayContaining(checked));
    expect(checked.length > 0).toBe(source.kind === "archive");
  });

  test("has addresses that end in the file's name, MD5s and sizes, each once", () => {
    for (const { name: file, urls, md5, bytes } of filesOf(source)) {
      for (const url of urls) expect(url).toMatch(new RegExp(`^https?://.+/${file.replaceAll(".", "\\.")}$`));
      expect(urls.length).toBeGreaterThan(0);
      expect(md5).toMatch(/^[0-9a-f]{32}$/);
      expect(bytes).toBeGreaterThan(1000);
    }
  });
});

test("no checksum stands twice", () => {
  const all = SOURCES.flatMap((source) => [
    ...filesOf(source).map(({ md5 }) => md5),
    ...(source.kind === "archive" ? source.members.map(({ md5 }) => md5) : []),
  ]);
  expect(new Set(all).size).toBe(all.length);
});

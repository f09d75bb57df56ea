import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { download } from "../../src/download/download.js";
import type { ArchivedFiles, LooseFiles } from "../../src/download/sources.js";
import { Interrupted } from "../../src/errors.js";
import {
  always,
  brokenOffAt,
  bytes,
  clientHas,
  md5,
  published,
  refusal,
  serve,
  temporaryDirectory,
  unwatched,
  whole,
} from "./server.js";
import { tarGz } from "./tar.js";

const [a, b] = [bytes(5000), bytes(70)];

/** A set of two files; the server knows both. */
async function looseSet() {
  const { url, asked } = await serve((request, response) => whole(request.url === "/a.gz" ? a : b)(request, response));
  const source: LooseFiles = {
    name: "tiny",
    kind: "files",
    folder: "Tiny/raw",
    files: [
      { ...published(a, [`${url}a.gz`], "a.gz"), plainBytes: 10_000 },
      { ...published(b, [`${url}b.gz`], "b.gz"), plainBytes: 100 },
    ],
  };
  const directory = join(temporaryDirectory(), "data");
  return { source, directory, folder: join(directory, "Tiny/raw"), asked };
}

describe("a set of files", () => {
  test("comes into its folder, which is made; the second time nothing is asked for", async () => {
    const { source, directory, folder, asked } = await looseSet();
    expect(await download(source, directory, unwatched())).toEqual({ folder, fetched: ["a.gz", "b.gz"] });
    expect(readdirSync(folder)).toEqual(["a.gz", "b.gz"]);
    expect(readFileSync(join(folder, "a.gz")).equals(a)).toBe(true);
    expect(await download(source, directory, unwatched())).toEqual({ folder, fetched: [] });
    expect(asked).toEqual(["/a.gz", "/b.gz"]);
  });

  test("only what lacks is fetched; an unpacked file of the right size counts", async () => {
    const { source, directory, folder, asked } = await looseSet();
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "a"), Buffer.alloc(10_000));
    expect(await download(source, directory, unwatched())).toEqual({ folder, fetched: ["b.gz"] });
    expect(asked).toEqual(["/b.gz"]);
  });

  test.each([
    ["a.gz", Buffer.alloc(4999), "it has 4999 bytes, expected 5000"],
    ["a.gz", Buffer.alloc(5000), `it has the MD5 ${md5(Buffer.alloc(5000))}, expected ${md5(a)}`],
    ["a", Buffer.alloc(9999), "it has 9999 bytes, expected 10000"],
  ])("what is there and differs is the user's to remove: %s", async (name, content, expected) => {
    const { source, directory, folder, asked } = await looseSet();
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, name), content);
    expect(await refusal(download(source, directory, unwatched()))).toBe(
      `${join(folder, name)} is there but is not the published file: ${expected}; remove it and give the same command again`,
    );
    expect(asked).toEqual([]);
    expect(readFileSync(join(folder, name)).equals(content)).toBe(true);
  });

  test("a file where the directory should be", async () => {
    const { source, directory } = await looseSet();
    mkdirSync(dirname(directory), { recursive: true });
    writeFileSync(directory, "");
    expect(await refusal(download(source, directory, unwatched()))).toMatch(/^there is a file in the way: .*--data$/);
  });
});

/** A set of an archive with two members and one that nobody wants. */
async function archivedSet(members = [one, two]) {
  const content = tarGz([{ path: "set-py/", type: "5" }, { path: "set-py/readme.html", content: b }, ...members]);
  const { url, asked } = await serve(brokenOffAt(100, content), whole(content));
  const source: ArchivedFiles = {
    name: "tiny",
    kind: "archive",
    folder: "set-py",
    archive: published(content, [`${url}set.tar.gz`], "set.tar.gz"),
    members: [
      { name: "one", md5: md5(a) },
      { name: "two", md5: md5(b) },
    ],
  };
  const directory = join(temporaryDirectory(), "data");
  return { source, directory, folder: join(directory, "set-py"), content, asked };
}

const one = { path: "set-py/one", content: a };
const two = { path: "set-py/two", content: b };

/** Breaks the connection off when the server is to, and sees that no folder of members is there meanwhile. */
const watched = (folder: string, values: Parameters<typeof unwatched>[0] = {}) =>
  unwatched({
    ...values,
    received: (...event) => {
      clientHas(event[1]);
      expect(existsSync(folder)).toBe(false);
      values.received?.(...event);
    },
  });

describe("a set in an archive", () => {
  test("is fetched, resumed, unpacked into its folder, and the archive goes; the second time nothing is asked for", async () => {
    const { source, directory, folder, asked } = await archivedSet();
    expect(await download(source, directory, watched(folder))).toEqual({ folder, fetched: ["one", "two"] });
    expect(asked).toEqual(["/set.tar.gz", "/set.tar.gz bytes=100-"]);
    expect(readdirSync(directory)).toEqual(["set-py"]);
    expect(readdirSync(folder)).toEqual(["one", "two"]);
    expect(readFileSync(join(folder, "one")).equals(a)).toBe(true);
    expect(await download(source, directory, watched(folder))).toEqual({ folder, fetched: [] });
    expect(asked).toHaveLength(2);
  });

  test("an archive that the user put there is checked, used and kept; only the member that lacks is written", async () => {
    const { source, directory, folder, content, asked } = await archivedSet();
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "two"), b);
    writeFileSync(join(directory, "set.tar.gz"), content);
    expect(await download(source, directory, unwatched())).toEqual({ folder, fetched: ["one"] });
    expect(readdirSync(directory)).toEqual(["set-py", "set.tar.gz"]);
    expect(readdirSync(folder)).toEqual(["one", "two"]);
    expect(asked).toEqual([]);
  });

  test.each([
    ["set-py/one", "the MD5 "],
    ["set.tar.gz", "4 bytes"],
  ])("%s that is there and differs is refused before anything is fetched", async (name, seen) => {
    const { source, directory, folder, asked } = await archivedSet();
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(directory, name), "mine");
    const said = await refusal(download(source, directory, unwatched()));
    expect(said).toContain(`${join(directory, name)} is there but is not the published file: it has ${seen}`);
    expect(asked).toEqual([]);
  });

  test.each([
    ["leads out", [{ path: "../out", content: a }, one, two], "which leads out"],
    ["is wrong in its second member", [one, { path: "set-py/two", content: a }], "holds set-py/two with the MD5"],
  ])("of an archive that %s nothing appears, not even the good members", async (_, members, expected) => {
    const { source, directory, folder } = await archivedSet(members);
    expect(await refusal(download(source, directory, watched(folder)))).toContain(expected);
    expect(readdirSync(directory)).toEqual(["set.tar.gz"]);
    expect(existsSync(join(dirname(directory), "out"))).toBe(false);
  });

  test("what an earlier unpacking left behind is removed", async () => {
    const { source, directory, folder } = await archivedSet();
    mkdirSync(`${folder}.partial`, { recursive: true });
    writeFileSync(join(`${folder}.partial`, "one"), "half");
    await download(source, directory, watched(folder));
    expect(readdirSync(directory)).toEqual(["set-py"]);
    expect(readFileSync(join(folder, "one")).equals(a)).toBe(true);
  });

  test("Ctrl-C while it is unpacked: the archive is kept and used by the next command", async () => {
    const { source, directory, folder, asked } = await archivedSet();
    const stopping = new AbortController();
    const step = (what: string) => {
      if (what === "unpacking set.tar.gz") stopping.abort();
    };
    const work = download(source, directory, watched(folder, { signal: stopping.signal, step }));
    await expect(work).rejects.toBeInstanceOf(Interrupted);
    expect(readdirSync(directory)).toEqual(["set.tar.gz"]);
    expect(await download(source, directory, watched(folder))).toEqual({ folder, fetched: ["one", "two"] });
    expect(asked).toHaveLength(2);
  });
});

test("a server that has nothing leaves an empty folder at most", async () => {
  const { url } = await serve(always(404));
  const { source, directory, folder } = await looseSet();
  const gone = { ...source, files: source.files.map((file) => ({ ...file, urls: [url] })) };
  expect(await refusal(download(gone, directory, unwatched()))).toContain("a.gz cannot be fetched");
  expect(readdirSync(folder)).toEqual([]);
});

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { unpack, type Wanted } from "../../src/download/unpack.js";
import { Interrupted } from "../../src/errors.js";
import { bytes, md5, refusal, temporaryDirectory } from "./server.js";
import { type TarMember, tar, tarGz } from "./tar.js";

const never = new AbortController().signal;
const [one, two] = [bytes(3_000_001), bytes(512)];

/** An archive in a directory of its own, and how the two members in it are wanted. */
function place(content: Buffer) {
  const directory = temporaryDirectory();
  const archive = join(directory, "set.tar.gz");
  const into = join(directory, "into");
  writeFileSync(archive, content);
  mkdirSync(into);
  const wanted = new Map<string, Wanted>([
    ["set/one", { to: join(into, "one"), md5: md5(one) }],
    ["set/two", { to: join(into, "two"), md5: md5(two) }],
  ]);
  return { directory, archive, into, wanted };
}

const good: TarMember[] = [
  { path: "set/", type: "5" },
  { path: "set/readme.html", content: bytes(700) },
  { path: "set/one", content: one },
  { path: "set/two", content: two },
];

describe("the wanted members, and only they, are written", () => {
  test.each([
    ["GNU's tar form, as CIFAR's archives have", tarGz(good)],
    ["the POSIX form", tarGz(good.map((member) => ({ ...member, magic: "ustar\x0000" })))],
    [
      "the POSIX form with the folder in the prefix",
      tarGz(good.map((member) => ({ ...member, magic: "ustar\x0000", path: member.path.slice(4), prefix: "set" }))),
    ],
    ["with extended headers", tarGz(good.flatMap((member) => [{ path: "set/one", type: "x", content: two }, member]))],
  ])("%s", async (_, content) => {
    const { archive, into, wanted } = place(content);
    await unpack(archive, wanted, never);
    expect(readdirSync(into).sort()).toEqual(["one", "two"]);
    expect(readFileSync(join(into, "one")).equals(one)).toBe(true);
    expect(readFileSync(join(into, "two")).equals(two)).toBe(true);
  });

  test("an archive that the system's tar has made", async () => {
    const { directory, archive, into, wanted } = place(Buffer.alloc(0));
    mkdirSync(join(directory, "set"));
    writeFileSync(join(directory, "set", "one"), one);
    writeFileSync(join(directory, "set", "two"), two);
    execFileSync("tar", ["-czf", archive, "-C", directory, "set"]);
    await unpack(archive, wanted, never);
    expect(readdirSync(into).sort()).toEqual(["one", "two"]);
  });
});

describe("an archive that is not as it must be is refused", () => {
  const file = (path: string): TarMember => ({ path, content: two });
  const wrongSum = tar(good);
  wrongSum[512 + 10] ^= 1;
  test.each<[string, Buffer, string]>([
    [
      "a path that goes up",
      tarGz([file("set/../../out"), ...good]),
      "holds the path set/../../out, which leads out of its folder",
    ],
    [
      "an absolute path",
      tarGz([file("/tmp/ibatch-out"), ...good]),
      "holds the path /tmp/ibatch-out, which leads out of its folder",
    ],
    ["a path of Windows", tarGz([file("C:\\out"), ...good]), "holds the path C:\\out, which leads out of its folder"],
    [
      "a path that goes up, by backslashes",
      tarGz([file("set\\..\\out"), ...good]),
      "holds the path set\\..\\out, which leads out of its folder",
    ],
    [
      "a symbolic link",
      tarGz([{ path: "set/one", type: "2", linkTo: "/etc/passwd" }]),
      "holds set/one, which is a link or another special file (type 2)",
    ],
    [
      "a hard link",
      tarGz([{ path: "set/x", type: "1", linkTo: "../x" }, ...good]),
      "holds set/x, which is a link or another special file (type 1)",
    ],
    [
      "a device",
      tarGz([{ path: "set/x", type: "3" }, ...good]),
      "holds set/x, which is a link or another special file (type 3)",
    ],
    ["a member twice", tarGz([...good, file("set/two")]), "holds set/two twice"],
    ["a member too few", tarGz(good.slice(0, 3)), "lacks set/two"],
    [
      "other content",
      tarGz([...good.slice(0, 3), { path: "set/two", content: bytes(513) }]),
      `holds set/two with the MD5 ${md5(bytes(513))}, expected ${md5(two)}`,
    ],
    ["an end in a member", gzipSync(tar(good).subarray(0, 100_000)), "ends too early"],
    [
      "an end between members, without the blocks of zeros",
      gzipSync(tar(good.slice(0, 2)).subarray(0, -1024)),
      "ends too early",
    ],
    ["an end in the gzip stream", tarGz(good).subarray(0, -20), "is no whole gzip file (unexpected end of file)"],
    ["a wrong checksum of gzip", flipped(tarGz(good), -8), "is no whole gzip file (incorrect data check)"],
    ["a wrong checksum of a header", gzipSync(wrongSum), "is no tar file: a header's checksum is wrong"],
    ["no tar at all", gzipSync(bytes(2000)), "is no tar file: "],
    ["no gzip at all", bytes(2000), "is no whole gzip file (incorrect header check)"],
    ["nothing", Buffer.alloc(0), "is no whole gzip file (unexpected end of file)"],
  ])("%s", async (_, content, expected) => {
    const { directory, archive, wanted } = place(content);
    const said = await refusal(unpack(archive, wanted, never));
    expect(said).toContain(`${archive} ${expected}`);
    expect(said).toMatch(/; remove it and give the same command again$/);
    expect(readdirSync(directory).sort()).toEqual(["into", "set.tar.gz"]);
    expect(existsSync("/tmp/ibatch-out")).toBe(false);
  });

  test("a file in the way is not written over", async () => {
    const { archive, into, wanted } = place(tarGz(good));
    writeFileSync(join(into, "one"), "mine");
    expect(await refusal(unpack(archive, wanted, never))).toContain("there is a file in the way");
    expect(readFileSync(join(into, "one"), "utf8")).toBe("mine");
  });

  test("Ctrl-C", async () => {
    const { archive, wanted } = place(tarGz(good));
    const stopping = new AbortController();
    stopping.abort();
    await expect(unpack(archive, wanted, stopping.signal)).rejects.toBeInstanceOf(Interrupted);
  });
});

/** A copy with one bit of one byte changed; counted from the end where negative. */
function flipped(content: Buffer, at: number): Buffer {
  const copy = Buffer.from(content);
  copy[copy.length + at] ^= 1;
  return copy;
}

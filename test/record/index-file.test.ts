import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readIndexFile, readLabelFile } from "../../src/record/index-file.js";
import { temporaryDirectory } from "../experiment/scene.js";
import { npy } from "./npy.js";

function file(name: string, content: string | Uint8Array): string {
  const path = join(temporaryDirectory(), name);
  writeFileSync(path, content);
  return path;
}

const u32 = (...values: number[]) => new Uint8Array(Uint32Array.from(values).buffer);
const plain = (seeds: readonly (readonly Uint32Array[])[]) => seeds.map((epochs) => epochs.map((epoch) => [...epoch]));
const read = (...of: Parameters<typeof readIndexFile>) => plain(readIndexFile(...of));

describe("raw u32", () => {
  const path = () => file("x.u32", u32(2, 0, 1, 1, 2, 0));
  test("is an epoch, or as many as --samples part it into, of as many seeds as --seeds says", () => {
    expect(read(path(), {})).toEqual([[[2, 0, 1, 1, 2, 0]]]);
    const two = [
      [2, 0, 1],
      [1, 2, 0],
    ];
    expect(read(path(), { samples: 3 })).toEqual([two]);
    expect(read(path(), { samples: 3, seeds: 2 })).toEqual(two.map((epoch) => [epoch]));
  });

  test("whatever its name, where it is no text", () => {
    expect(read(file("order", u32(258, 0, 1)), {})).toEqual([[[258, 0, 1]]]);
    expect(read(file("ascii.u32", "00000001"), {}), "by its name alone").toEqual([[[0x30303030, 0x31303030]]]);
  });
});

describe("text", () => {
  test.each([
    ["an index a line", "2\n0\n1\n"],
    ["with a blank line at its end", "2\n0\n1\n\n"],
    ["a batch a line, with the ends of lines of Windows", "2 0\r\n1\r\n"],
    ["in one line", "2\t0  1"],
  ])("%s is an epoch", (_, text) => {
    expect(read(file("x.txt", text), {})).toEqual([[[2, 0, 1]]]);
  });

  test("a blank line ends an epoch", () => {
    expect(read(file("x.txt", "\n2\n0\n1\n \n\n1\n2\n0\n"), {})).toEqual([
      [
        [2, 0, 1],
        [1, 2, 0],
      ],
    ]);
  });
});

describe(".npy", () => {
  test.each(["|u1", "|i1", "<u2", "<i2", "<u4", "<i4", "<u8", "<i8", ">u2", ">i4", ">i8"])("of %s", (dtype) => {
    expect(read(file("x.npy", npy(dtype, [3], [2, 0, 100])), {})).toEqual([[[2, 0, 100]]]);
  });

  const six = [2, 0, 1, 1, 2, 0];
  test.each([
    [[6], {}, [[six]]],
    [[6], { samples: 3 }, [[six.slice(0, 3), six.slice(3)]]],
    [[2, 3], {}, [[six.slice(0, 3), six.slice(3)]]],
    [[2, 3], { seeds: 2 }, [[six.slice(0, 3)], [six.slice(3)]]],
    [[2, 1, 3], {}, [[six.slice(0, 3)], [six.slice(3)]]],
    [[1, 2, 3], {}, [[six.slice(0, 3), six.slice(3)]]],
  ])("of shape %j with %j", (shape, parting, expected) => {
    expect(read(file("x.npy", npy("<u4", shape, six)), parting)).toEqual(expected);
  });

  test("with the header of version 2", () => {
    expect(read(file("x.npy", npy("<i8", [2], [1, 0], { version: 2 })), {})).toEqual([[[1, 0]]]);
  });
});

describe("what holds no sequences is refused, and why is said", () => {
  test.each<[string, string | Uint8Array, string]>([
    ["x.u32", "", "it is empty"],
    ["x.txt", " \n\n", "it holds no indices"],
    ["x.npy", npy("<u4", [0], []), "it holds no indices"],
    ["x.u32", "abcde", "5 bytes are no whole number of values"],
    ["x.txt", "0 1.5 2", '"1.5" at place 1: expected integers, parted by white space'],
    ["x.txt", "0,1,2", '"0,1,2" at place 0: expected integers, parted by white space'],
    ["x.txt", "0 -3", "value -3 at place 1: expected integers from 0"],
    ["x.txt", "4294967295", "value 4294967295 at place 0: expected integers from 0"],
    ["x.npy", npy("<i4", [2], [0, -3]), "value -3 at place 1: expected integers from 0"],
    ["x.npy", npy("<f8", [2], [0, 1]), "its values are <f8: expected integers"],
    [
      "x.npy",
      npy("<i4", [1, 1, 1, 1], [0]),
      "it has 4 axes: expected an epoch, epochs × indices, or seeds × epochs × indices",
    ],
    [
      "x.npy",
      npy("<i4", [2, 2], [0, 1, 2, 3], { fortran: true }),
      "it is in Fortran's order: save np.ascontiguousarray(array)",
    ],
    ["x.npy", npy("<i4", [3], [0, 1, 2]).subarray(0, -4), "it has 8 bytes of values, its shape (3) needs 12"],
    ["x.npy", "\x93NUMPY".padEnd(7, "\x01"), "it ends in its header"],
    ["x.bin", u32(0, 0, 1, 0, 2, 0), "every second value is 0, as in integers of 64 bits: save .npy, or 32 bits each"],
  ])("%s, %j", (name, content, expected) => {
    const path = file(name, typeof content === "string" ? Buffer.from(content, "latin1") : content);
    expect(() => readIndexFile(path, {})).toThrow(`${path}: ${expected}`);
  });

  test("what cannot be parted as is said", () => {
    const path = file("x.u32", u32(...Array.from({ length: 10 }, (_, at) => at)));
    expect(() => readIndexFile(path, { samples: 3 })).toThrow(
      "10 indices are no whole number of epochs of 3 (--samples)",
    );
    expect(() => readIndexFile(path, { samples: 2, seeds: 2 })).toThrow(
      "5 epochs cannot be dealt to 2 seeds (--seeds) equally",
    );
    const seeds = file("x.npy", npy("<u4", [2, 1, 2], [0, 1, 1, 0]));
    expect(() => readIndexFile(seeds, { seeds: 4 })).toThrow("it holds 2 seeds, not 4 (--seeds)");
  });

  test("a file that is not there, and a directory", () => {
    expect(() => readIndexFile("/nowhere/x.npy", {})).toThrow("/nowhere/x.npy is missing: name another file");
    const directory = join(temporaryDirectory(), "x");
    mkdirSync(directory);
    expect(() => readIndexFile(directory, {})).toThrow(`${directory}: it is a directory`);
  });
});

test("labels are one row", () => {
  expect([...readLabelFile(file("labels.txt", "3 1 1"))]).toEqual([3, 1, 1]);
  const rows = file("labels.txt", "3 1 1\n\n3 1 1");
  expect(() => readLabelFile(rows)).toThrow(`${rows} holds 2 rows of labels: expected one value a sample, and no more`);
});

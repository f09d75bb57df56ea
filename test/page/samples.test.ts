import { inflateSync } from "node:zlib";
import fc from "fast-check";
import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import { renderPage } from "../../src/page/page.js";
import { encodePng, type Picture } from "../../src/page/png.js";
import { readReportData } from "../../src/page/read.js";
import { make, SMALL } from "./scene.js";

describe("the hardest and the most often misjudged training images", () => {
  const read = () => {
    const data = readReportData(make(SMALL));
    const classes = data.samples?.classes ?? [];
    return { data, found: classes.flatMap(({ label, samples }) => samples.map((sample) => ({ label, ...sample }))) };
  };

  test("are of the baseline, each once, in its class, hardest first", () => {
    const { data, found } = read();
    expect(data.samples?.arm).toBe("shuffled");
    expect(data.samples?.seeds).toEqual([0, 1]);
    expect(found.map(({ label, index }) => [label, index])).toEqual([
      [0, 9],
      [1, 4],
      [2, 11],
      [2, 8],
    ]);
  });

  test("have the mean of their losses over epochs and seeds, and each epoch's", () => {
    const [nine] = read().found; // (9 + 1) / (epoch + 2), equal in both seeds
    expect(nine.losses).toHaveLength(3);
    for (const [epoch, loss] of nine.losses.entries()) expect(loss).toBeCloseTo(10 / (epoch + 2), 6);
    expect(nine.meanLoss).toBeCloseTo((10 / 2 + 10 / 3 + 10 / 4) / 3, 6);
  });

  test("say how often they were misjudged, and as what", () => {
    const { found } = read();
    expect(found.map(({ passes, misjudged, wrong }) => ({ passes, misjudged, wrong }))).toEqual([
      { passes: 6, misjudged: 0, wrong: undefined },
      { passes: 6, misjudged: 6, wrong: { label: 0, times: 6 } },
      { passes: 6, misjudged: 0, wrong: undefined },
      { passes: 6, misjudged: 6, wrong: { label: 0, times: 6 } },
    ]);
    expect(found.map(({ isHardest, isMostMisjudged }) => [isHardest, isMostMisjudged])).toEqual([
      [true, false],
      [true, true],
      [true, false],
      [true, true],
    ]);
  });

  test("are shown as pictures with text that says what they are", () => {
    const { document } = parseHTML(renderPage(read().data));
    const images = [...document.querySelectorAll("#samples img")];
    expect(images.map((image) => image.getAttribute("alt"))).toEqual([
      "training sample 9, labelled cat",
      "training sample 4, labelled dog, most often taken for cat",
      "training sample 11, labelled <b>owl</b>",
      "training sample 8, labelled <b>owl</b>, most often taken for cat",
    ]);
    const uri = images[1].getAttribute("src") ?? "";
    const { pixels } = decodePng(Buffer.from(uri.slice(uri.indexOf(",") + 1), "base64"));
    expect([...pixels]).toEqual([0, 15, 30, 45]); // the first of the recorded pictures
    expect(document.querySelectorAll("#samples .spark").length).toBe(4);
    expect(document.querySelector("#samples")?.textContent).toContain("taken for cat, wrong in 6 of 6 passes");
  });

  test.each([
    [2, "the first one", [0, 30, 60, 90]],
    [4, "the first three, as red, green and blue", [0, 15, 30, 60, 75, 90, 120, 135, 150, 180, 195, 210]],
    [8, "the first three, as red, green and blue", [0, 15, 30, 120, 135, 150, 240, 255, 14, 104, 119, 134]],
  ])("of %i channels show %s, and say so", (channels, which, pixels) => {
    const data = readReportData(make({ ...SMALL, channels }));
    expect(data.leftOut).toEqual([]);
    const { document } = parseHTML(renderPage(data));
    const note = `The images have ${channels} channels; the pictures show ${which}.`;
    expect(document.querySelector("#samples")?.textContent).toContain(note);
    const uri = document.querySelectorAll("#samples img")[1].getAttribute("src") ?? "";
    expect([...decodePng(Buffer.from(uri.slice(uri.indexOf(",") + 1), "base64")).pixels]).toEqual(pixels);
  });

  test("say so where there are none", () => {
    const text = parseHTML(renderPage(readReportData(make({ ...SMALL, labels: false })))).document;
    expect(text.querySelector("#samples")?.textContent).toContain("no run has recorded pictures");
  });
});

/** As the standard says, chunk by chunk; only what is written here: 8 bits, no filter. Chromium decodes them too. */
function decodePng(bytes: Buffer): Picture {
  expect([...bytes.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10]);
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const type = bytes.toString("latin1", at + 4, at + 8);
    expect(bytes.readUInt32BE(at + 8 + length)).toBe(crc(bytes.subarray(at + 4, at + 8 + length)));
    chunks.set(type, bytes.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const header = chunks.get("IHDR") ?? Buffer.alloc(13);
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const channels = header[9] === 2 ? 3 : 1;
  const rows = inflateSync(chunks.get("IDAT") ?? Buffer.alloc(0));
  const stride = width * channels + 1;
  const pixels = Uint8Array.from({ length: width * height * channels }, (_, at) => {
    const [y, x] = [Math.floor(at / (stride - 1)), at % (stride - 1)];
    expect(rows[y * stride]).toBe(0);
    return rows[y * stride + 1 + x];
  });
  return { width, height, channels, pixels };
}

/** CRC-32 bit by bit, as in the standard's annex. */
function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return (value ^ 0xffffffff) >>> 0;
}

test("a PNG holds the pixels that went in", () => {
  const picture = fc
    .record({
      width: fc.integer({ min: 1, max: 9 }),
      height: fc.integer({ min: 1, max: 9 }),
      channels: fc.constantFrom(1, 3),
    })
    .chain(({ width, height, channels }) => {
      const length = width * height * channels;
      return fc
        .uint8Array({ minLength: length, maxLength: length })
        .map((pixels): Picture => ({ width, height, channels: channels === 1 ? 1 : 3, pixels }));
    });
  fc.assert(
    fc.property(picture, (one) => {
      expect(decodePng(encodePng(one))).toEqual(one);
    }),
    { numRuns: 50 },
  );
});

test("a picture of the wrong size is refused", () => {
  expect(() => encodePng({ width: 2, height: 2, channels: 3, pixels: new Uint8Array(4) })).toThrow("4 bytes");
});

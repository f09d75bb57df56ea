import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { changes, leftOver } from "../../src/page/batches.js";
import { groupEqual, scaleFor, withoutOutliers } from "../../src/page/chart.js";
import { shadeOf } from "../../src/page/heat.js";
import { html } from "../../src/page/html.js";
import { lookOf, looksOf } from "../../src/page/looks.js";
import { placeApart } from "../../src/page/place-apart.js";
import { quantile, quantilesOf } from "../../src/page/quantiles.js";
import { STYLE } from "../../src/page/style.js";

describe("placeApart", () => {
  const range = { from: 0, to: 1000 };

  test("leaves alone what is apart, and moves neighbours around their middle", () => {
    expect(placeApart([10, 100], 12, range)).toEqual([10, 100]);
    expect(placeApart([50, 50], 12, range)).toEqual([44, 56]);
    expect(placeApart([50, 49, 51], 12, range)).toEqual([50, 38, 62]);
    expect(placeApart([0, 0], 12, range)).toEqual([0, 12]);
  });

  test("keeps sequence and distance, whatever is wanted", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 40 }), (wanted) => {
        const placed = placeApart(wanted, 12, range);
        const sorted = placed.toSorted((a, b) => a - b);
        for (let at = 1; at < sorted.length; at++) expect(sorted[at] - sorted[at - 1]).toBeGreaterThan(12 - 1e-6);
        for (const place of placed) expect(place >= -1e-6 && place <= 1000 + 1e-6).toBe(true);
        for (const [i, a] of wanted.entries()) {
          for (const [j, b] of wanted.entries()) if (a < b) expect(placed[i]).toBeLessThan(placed[j]);
        }
      }),
    );
  });
});

describe("quantiles", () => {
  test("between neighbours in proportion, as numpy.quantile", () => {
    expect(quantile(Float32Array.of(1, 2, 4), 0.5)).toBe(2);
    expect(quantile(Float32Array.of(1, 2, 4), 0.75)).toBe(3);
    expect(quantile(Float32Array.of(5), 0.05)).toBe(5);
  });

  test("leave out what was not drawn, and count infinities", () => {
    expect(quantilesOf(Float32Array.of(Number.NaN, 3, Number.POSITIVE_INFINITY, 1))).toMatchObject({
      quantiles: { p50: 2 },
      notFinite: 1,
    });
    expect(quantilesOf(Float32Array.of(Number.NaN))).toBeUndefined();
  });
});

test("changes: where a value changes, and the end; an epoch's remainder is none", () => {
  const step = (at: number, size: number, last = false) => ({ step: at, size, learningRate: 0.1, last });
  const all = [step(0, 4), step(1, 4), step(2, 1, true), step(3, 8), step(4, 8), step(5, 2, true)];
  expect(changes(all, "size")).toEqual([
    { x: 0, y: 4 },
    { x: 3, y: 8 },
    { x: 6, y: 8 },
  ]);
  expect(changes(all, "learningRate")).toEqual([
    { x: 0, y: 0.1 },
    { x: 6, y: 0.1 },
  ]);
  expect(changes([], "size")).toEqual([]);
  expect(leftOver([all, all.slice(0, 2)])).toBe("the last batch of an epoch, which has what is left over (1 to 2)");
  expect(leftOver([all.slice(0, 3)])).toMatch(/left over \(1\)$/);
  expect(leftOver([all.slice(0, 2), []])).toBeUndefined();
});

test("groupEqual: equal series share a line", () => {
  const look = lookOf(1);
  const series = (arm: string, y: number) => ({ arm, look, points: [{ x: 0, y }] });
  const names = (all: Parameters<typeof groupEqual>[0]) => groupEqual(all).map(({ line }) => line.label);
  expect(names([series("a", 1), series("b", 2), series("c", 1)])).toEqual(["a + 1", "b"]);
  expect(names([series("a", 1), series("b", 1)])).toEqual(["all arms"]);
});

test("withoutOutliers: leaves out what squeezes the others, at most a third", () => {
  const lines = [0.9, 0.92, 0.94, 0.1].map((y) => ({ label: String(y), look: lookOf(1), points: [{ x: 1, y }] }));
  expect(withoutOutliers(lines).map(({ label }) => label)).toEqual(["0.9", "0.92", "0.94"]);
  expect(withoutOutliers(lines.slice(0, 3))).toHaveLength(3);
  expect(withoutOutliers([])).toEqual([]);
});

test("looks: the baseline is ink, and 30 others differ from it and from each other", () => {
  const arms = Array.from({ length: 31 }, (_, at) => `arm-${at}`);
  const looks = [...looksOf(arms, "arm-3").values()].map(({ color, dash }) => `${color} ${dash}`);
  expect(new Set(looks).size).toBe(31);
  expect(looks[3]).toBe("var(--ink) undefined");
});

test("looks: no two colours of arms are near each other, in light or in dark", () => {
  const palettes = [...STYLE.matchAll(/(?:--arm-\d: #\w{6}; ?)+/g)].map(([text]) => [...text.matchAll(/#(\w{6})/g)]);
  expect(palettes.map(({ length }) => length)).toEqual([6, 6, 6]);
  for (const palette of palettes) {
    const colors = palette.map(([, hex]) => [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)));
    for (const [at, color] of colors.entries()) {
      const distances = colors.slice(at + 1).map((other) => Math.hypot(...color.map((part, i) => part - other[i])));
      expect(Math.min(...distances), palette[at][0]).toBeGreaterThan(65);
    }
  }
});

test("scaleFor: logarithmic where positive values span much", () => {
  expect(scaleFor([0.01, 2])).toBe("log");
  expect(scaleFor([0, 2])).toBe("linear");
  expect(scaleFor([1, 2])).toBe("linear");
  expect(scaleFor(undefined)).toBe("linear");
});

test("shadeOf: none for nothing, the darkest from a half on", () => {
  expect([0, 0.01, 0.05, 0.1, 0.2, 0.5, 0.51, 1].map(shadeOf)).toEqual([0, 1, 1, 2, 3, 4, 5, 5]);
});

test("html escapes what is put in, but not what is HTML", () => {
  expect(html`<p title="${`"'&`}">${"<b>"}${html`<i>${1}</i>`}${undefined}${["a", "<"]}</p>`.text).toBe(
    '<p title="&quot;&#39;&amp;">&lt;b&gt;<i>1</i>a&lt;</p>',
  );
});

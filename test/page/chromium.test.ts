import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderPage } from "../../src/page/page.js";
import { readReportData } from "../../src/page/read.js";
import { findings } from "./findings-scene.js";
import { type MadeExperiment, make, SMALL } from "./scene.js";

const found = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "chromium"));
const executablePath = found.find((path) => existsSync(path));
if (executablePath === undefined) {
  process.stderr.write("report page: no chromium on PATH, so the page is not opened in a browser here\n");
}

const { shuffled, sorted } = SMALL.arms;
const SCENES: Readonly<Record<string, MadeExperiment>> = {
  normal: { ...SMALL, arms: { shuffled, sorted, heterogeneous: sorted } },
  "half finished": { ...SMALL, arms: { shuffled, sorted: { 0: { accuracies: [0.3], state: "interrupted" } } } },
  "without pictures": { ...SMALL, labels: false },
  "of many arms, one collapsed": {
    ...SMALL,
    arms: Object.fromEntries(
      Array.from({ length: 15 }, (_, at) => [
        at === 0 ? "shuffled" : `an-arm-of-a-long-name-${at}`,
        { 0: { accuracies: at === 9 ? [0.1, 0.1, 0.1] : [0.5, 0.7, 0.8 + at / 200] } },
      ]),
    ),
  },
};

const measured = (accuracy: number) => ({ loss: 1 - accuracy, accuracy, count: 100 });
const BATCH_NORM: MadeExperiment["batchNorm"] = {
  test: { running: measured(0.1), batch: measured(0.8), reestimated: measured(0.7) },
  ownBatches: { batch: measured(0.95), running: measured(0.15) },
};

interface Asked {
  readonly scene?: MadeExperiment;
  readonly colorScheme?: "light" | "dark";
}

interface Opened {
  readonly directory: string;
  readonly page: Page;
  /** What the page said to the console, and what it asked the network for. */
  readonly said: string[];
  readonly asked: string[];
}

describe.skipIf(executablePath === undefined)("the page in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ ...(executablePath && { executablePath }), args: ["--no-sandbox"] });
  });
  afterAll(() => browser?.close());

  async function open(width: number, { scene = SCENES.normal, colorScheme = "light" }: Asked = {}): Promise<Opened> {
    const directory = make(scene);
    const file = join(directory, "report.html");
    writeFileSync(file, renderPage(readReportData(directory), scene.baseline ? findings() : undefined));
    const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
    const said: string[] = [];
    const asked: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(error.message));
    page.on("request", (request) => asked.push(request.url()));
    const url = pathToFileURL(file).href;
    await page.goto(url, { waitUntil: "networkidle" });
    const left = asked.filter((address) => address !== url && !address.startsWith("data:"));
    return { directory, page, said, asked: left };
  }

  /** Run in the page, which knows a document; this project's types do not. */
  const ask = <T>({ page }: Opened, expression: string): Promise<T> => page.evaluate(expression);

  describe.each(Object.entries(SCENES))("%s", (_, scene) => {
    test("says nothing to the console and asks for nothing", async () => {
      const { said, asked } = await open(1100, { scene });
      expect({ said, asked }).toEqual({ said: [], asked: [] });
    });

    test.each([360, 800, 1400])("does not scroll sideways at %d px", async (width) => {
      const opened = await open(width, { scene });
      expect(await ask<number>(opened, "document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    });

    test("the figures that it shows are those that the runs recorded", async () => {
      const opened = await open(1100, { scene });
      const rows = await ask<string[][]>(
        opened,
        `[...document.querySelectorAll("#results tbody tr")].map((row) => [...row.cells].map((cell) => cell.innerText.trim()))`,
      );
      expect(rows.map(([arm, accuracy, loss]) => [arm, accuracy, loss])).toEqual(
        Object.keys(scene.arms).map((arm) => [arm, ...recorded(opened.directory, arm)]),
      );
    });
  });

  test("its pictures are pictures", async () => {
    const opened = await open(1100);
    const sizes = await ask<number[]>(
      opened,
      `[...document.images].flatMap((one) => [one.naturalWidth, one.naturalHeight])`,
    );
    expect(sizes).toEqual([2, 2, 2, 2, 2, 2, 2, 2]);
    const pixels = await ask<number[]>(opened, PIXELS);
    expect(pixels).toEqual([0, 15, 30, 45]);
  });

  test("at 360 px, accuracy, loss and count of every arm are in sight", async () => {
    const opened = await open(360);
    const rights = await ask<number[]>(
      opened,
      `[...document.querySelectorAll("#results td")].map((cell) => cell.getBoundingClientRect().right)`,
    );
    expect(rights).toHaveLength(9);
    expect(Math.max(...rights)).toBeLessThanOrEqual(360);
  });

  test("at 390 px, every cell of every table is in sight, nothing scrolled", async () => {
    const opened = await open(390, { scene: { ...SCENES.normal, batchNorm: BATCH_NORM } });
    const cut = await ask<string[]>(
      opened,
      `[...document.querySelectorAll("td, th")].filter((cell) => cell.getBoundingClientRect().right > 390).map((cell) => cell.closest("table").id + ": " + cell.textContent)`,
    );
    expect(cut).toEqual([]);
    const tables = await ask<string[]>(opened, `[...document.querySelectorAll("table")].map(({ id }) => id)`);
    expect(tables).toEqual(expect.arrayContaining(["results", "comparisons", "batch-norm-statistics"]));
  });

  test("on paper, no table is wider than A4 without its margins, and it is light", async () => {
    const opened = await open(703, { scene: SCENES["of many arms, one collapsed"], colorScheme: "dark" });
    await opened.page.emulateMedia({ media: "print", colorScheme: "dark" });
    const widths = await ask<number[]>(
      opened,
      `[...document.querySelectorAll("table")].map((one) => one.getBoundingClientRect().width)`,
    );
    expect(Math.max(...widths)).toBeLessThanOrEqual(703);
    expect(await ask<string>(opened, "getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)");
  });

  test("at 360 px, no letter of a chart lies beyond the page, and none is smaller than 9 px", async () => {
    const opened = await open(360);
    const beyond = await ask<number>(
      opened,
      `Math.max(...[...document.querySelectorAll("svg.plot text")].map((text) => text.getBoundingClientRect().right))`,
    );
    expect(beyond).toBeLessThanOrEqual(360);
    const smallest = await ask<number>(
      opened,
      `Math.min(...[...document.querySelectorAll("#curves svg.plot")].map((svg) => 11 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width))`,
    );
    expect(smallest).toBeGreaterThanOrEqual(9);
  });

  test.each(["light", "dark"] as const)("every text stands out from the %s paper, 4.5 to 1", async (scheme) => {
    const opened = await open(1100, { colorScheme: scheme });
    const worst = await ask<string[]>(opened, CONTRASTS);
    expect(worst).toEqual([]);
  });

  test("dark mode is dark", async () => {
    const paper = async (scheme: "light" | "dark") =>
      ask<string>(await open(1100, { colorScheme: scheme }), "getComputedStyle(document.body).backgroundColor");
    expect(await paper("light")).toBe("rgb(255, 255, 255)");
    expect(await paper("dark")).toBe("rgb(21, 23, 26)");
  });
});

/** Of the second picture, which is the first one recorded: grey, as the browser decodes it. */
const PIXELS = `(() => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 2;
  const context = canvas.getContext("2d");
  context.drawImage(document.images[1], 0, 0);
  return [...context.getImageData(0, 0, 2, 2).data].filter((_, at) => at % 4 === 0);
})()`;

/** Mean ± sd of the last epoch of the done runs, straight from `metrics.jsonl`. */
function recorded(directory: string, arm: string): [accuracy: string, loss: string] {
  const last = readdirSync(join(directory, arm)).flatMap((seed) => {
    const read = (file: string) => readFileSync(join(directory, arm, seed, file), "utf8").trim();
    const [line] = read("metrics.jsonl").split("\n").slice(-1);
    return JSON.parse(read("run.json")).state === "done" ? [JSON.parse(line).test] : [];
  });
  const spread = (values: readonly number[], digits: number) => {
    if (values.length === 0) return "–";
    const mean = values.reduce((sum, value) => sum + value) / values.length;
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    const sd = values.length > 1 ? ` ± ${Math.sqrt(squares / (values.length - 1)).toFixed(digits)}` : "";
    return `${mean.toFixed(digits)}${sd}`;
  };
  return [
    spread(
      last.map(({ accuracy }) => 100 * accuracy),
      2,
    ),
    spread(
      last.map(({ loss }) => loss),
      4,
    ),
  ];
}

/** WCAG's contrast of each colour that carries text or a line against the paper; those below 4.5 come back. */
const CONTRASTS = `(() => {
  const luminance = (color) => {
    const parts = color.match(/\\d+/g).slice(0, 3).map((part) => part / 255);
    const [r, g, b] = parts.map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const probe = document.body.appendChild(document.createElement("i"));
  const read = (name) => { probe.style.color = "var(" + name + ")"; return luminance(getComputedStyle(probe).color); };
  const paper = read("--paper");
  return ["--ink", "--soft", ...[1, 2, 3, 4, 5, 6, 7].map((at) => "--arm-" + at)].flatMap((name) => {
    const own = read(name);
    const contrast = (Math.max(own, paper) + 0.05) / (Math.min(own, paper) + 0.05);
    return contrast < 4.5 ? [name + " " + contrast.toFixed(2)] : [];
  });
})()`;
